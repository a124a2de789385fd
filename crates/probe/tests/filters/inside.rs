//! The part that runs in a container: loads filters of its own, waits until it was looked at, and then tries calls.
//!
//! No call is made: a filter in front of all others hands those that the others allow to a listener, which answers with
//! an error that nothing else returns. What a filter denies, the listener never sees.
#![expect(unsafe_code, reason = "system calls with any number and arguments")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use crate::attempt;

/// First argument of this part; the second is its directory.
pub(crate) const PART: &str = "inside";
/// What calls return that the filters allow.
pub(crate) const ALLOWED: i64 = -200;

/// Bytes of a call: the number of its ABI (4), its own number (4), six arguments.
pub(crate) const CALL: usize = 56;

const NO_NEW_PRIVS: libc::c_int = 38;
const MODE_FILTER: libc::c_ulong = 1;
const NEW_LISTENER: libc::c_ulong = 8;
/// `SECCOMP_RET_USER_NOTIF`
const ASK_THE_LISTENER: [u8; 8] = [0x06, 0, 0, 0, 0, 0, 0xc0, 0x7f];
/// `SECCOMP_IOCTL_NOTIF_RECV` and `…_SEND` for structures of 80 and 24 bytes.
const RECEIVE: libc::c_ulong = 0xc050_2100;
const SEND: libc::c_ulong = 0xc018_2101;

/// Runs this part to its end.
pub(crate) fn run(dir: &Path) -> ! {
    let path = |name: &str| dir.join(name);
    for program in fs::read(path("filters")).expect("filters").split(|byte| *byte == b'\n') {
        if !program.is_empty() {
            load(&from_hex(program), 0);
        }
    }
    fs::write(path("ready"), "").expect("ready");
    while !path("go").exists() {
        thread::sleep(Duration::from_millis(20));
    }
    let calls: &'static [u8] = fs::read(path("calls")).expect("calls").leak();
    let results = attempt_all(calls.as_chunks::<CALL>().0);
    let bytes: Vec<u8> = results.iter().flat_map(|result| result.to_le_bytes()).collect();
    fs::write(path("results.new"), bytes).expect("results");
    fs::rename(path("results.new"), path("results")).expect("results");
    loop {
        thread::sleep(Duration::from_secs(60));
    }
}

fn from_hex(text: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(text).expect("hex");
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex")).collect()
}

/// Loads a filter for this thread; returns what seccomp(2) does.
fn load(program: &[u8], flags: libc::c_ulong) -> i32 {
    // SAFETY: the filter points to as many instructions as it says; the kernel copies them.
    let result = unsafe {
        libc::prctl(NO_NEW_PRIVS, 1, 0, 0, 0);
        let filter = libc::sock_fprog {
            len: u16::try_from(program.len() / 8).expect("length"),
            filter: program.as_ptr().cast_mut().cast(),
        };
        libc::syscall(libc::SYS_seccomp, MODE_FILTER, flags, &raw const filter)
    };
    assert!(result >= 0, "seccomp: {}", std::io::Error::last_os_error());
    result as i32
}

/// One thread tries the calls, this one answers for those that are allowed.
fn attempt_all(calls: &'static [[u8; CALL]]) -> Vec<i64> {
    static LISTENER: AtomicI32 = AtomicI32::new(-1);
    static DONE: AtomicBool = AtomicBool::new(false);
    let results: Arc<Vec<AtomicI64>> = Arc::new(calls.iter().map(|_| AtomicI64::new(0)).collect());
    let found = Arc::clone(&results);
    thread::spawn(move || {
        LISTENER.store(load(&ASK_THE_LISTENER, NEW_LISTENER), Ordering::SeqCst);
        for (call, result) in calls.iter().zip(&*found) {
            result.store(attempt(call), Ordering::SeqCst);
        }
        DONE.store(true, Ordering::SeqCst);
        // Nobody answers this one: the thread waits until the process ends.
        attempt::of_x86_64(libc::SYS_pause as u64, [0; 6]);
    });
    while LISTENER.load(Ordering::SeqCst) < 0 {
        thread::sleep(Duration::from_millis(1));
    }
    answer(LISTENER.load(Ordering::SeqCst), &DONE);
    results.iter().map(|result| result.load(Ordering::SeqCst)).collect()
}

fn answer(listener: i32, done: &AtomicBool) {
    while !done.load(Ordering::SeqCst) {
        let mut poll = libc::pollfd { fd: listener, events: libc::POLLIN, revents: 0 };
        let mut call = [0_u64; 10];
        // SAFETY: one pollfd, and a structure of 80 bytes, good for writing.
        let received = unsafe {
            libc::poll(&raw mut poll, 1, 20) == 1
                && libc::ioctl(listener, RECEIVE as _, call.as_mut_ptr()) == 0
        };
        if received && !done.load(Ordering::SeqCst) {
            // The call's id, no value, the error without flags.
            let response = [call[0], 0, u64::from((ALLOWED as i32).cast_unsigned())];
            // SAFETY: a structure of 24 bytes, good for reading.
            unsafe { libc::ioctl(listener, SEND as _, response.as_ptr()) };
        }
    }
}

fn attempt(call: &[u8; CALL]) -> i64 {
    let word = |at: usize| u32::from_le_bytes([call[at], call[at + 1], call[at + 2], call[at + 3]]);
    let mut args = [0; 6];
    for (arg, bytes) in args.iter_mut().zip(call[8..].as_chunks().0) {
        *arg = u64::from_le_bytes(*bytes);
    }
    match word(0) {
        1 => attempt::of_i386(word(4), args),
        _ => attempt::of_x86_64(word(4).into(), args),
    }
}
