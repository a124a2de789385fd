//! The commands of bpf(2) that are used here. Nothing is pinned: what is made goes with its descriptor.
#![expect(unsafe_code, reason = "no safe crate wraps bpf(2)")]

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use crate::assembler::Instruction;

/// Helpers that read kernel memory are for programs under the GPL; ours is under both.
const LICENSE: &CStr = c"Dual MIT/GPL";
/// Most bytes that an iterator may write.
const MAX_OUTPUT: u64 = 256 << 20;
const LOG_LENGTH: usize = 1 << 20;

/// Commands (`enum bpf_cmd`).
#[derive(Clone, Copy)]
enum Command {
    MapCreate = 0,
    MapLookup = 1,
    MapUpdate = 2,
    ProgramLoad = 5,
    ProgramById = 13,
    Info = 15,
    ProgramQuery = 16,
    LinkCreate = 28,
    IteratorCreate = 33,
}

/// `union bpf_attr`, filled by offset.
#[repr(C, align(8))]
struct Attributes([u8; 144]);

impl Attributes {
    fn new() -> Self {
        Self([0; 144])
    }

    fn word(mut self, offset: usize, value: u32) -> Self {
        self.0[offset..offset + 4].copy_from_slice(&value.to_ne_bytes());
        self
    }

    fn pointer<T>(mut self, offset: usize, value: *const T) -> Self {
        self.0[offset..offset + 8].copy_from_slice(&(value as usize as u64).to_ne_bytes());
        self
    }

    fn descriptor(self, offset: usize, fd: &impl AsFd) -> Self {
        self.word(offset, fd.as_fd().as_raw_fd().cast_unsigned())
    }

    fn word_at(&self, offset: usize) -> u32 {
        u32::from_ne_bytes(std::array::from_fn(|byte| self.0[offset + byte]))
    }

    /// # Safety
    /// Every pointer in the attributes must be good for what the command does with it, and for its length.
    unsafe fn call(mut self, command: Command) -> io::Result<i32> {
        // SAFETY: the caller vouches for the pointers.
        unsafe { self.ask(command) }
    }

    /// The same for commands that answer in the attributes.
    ///
    /// # Safety
    /// As [`Attributes::call`].
    unsafe fn ask(&mut self, command: Command) -> io::Result<i32> {
        // SAFETY: the kernel reads at most the given length; what the pointers inside are good for, the caller
        // vouches for.
        let result =
            unsafe { libc::syscall(libc::SYS_bpf, command as i32, self.0.as_mut_ptr(), self.0.len()) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as i32) }
    }

    /// # Safety
    /// As [`Attributes::call`]; the command must return a descriptor.
    unsafe fn open(self, command: Command) -> io::Result<OwnedFd> {
        // SAFETY: the caller vouches for the pointers; the descriptor is new and nobody else's.
        unsafe { Ok(OwnedFd::from_raw_fd(self.call(command)?)) }
    }
}

/// Kinds of maps.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Hash = 1,
    Array = 2,
}

/// A map of keys and values whose lengths the kernel knows.
pub(crate) struct Map {
    pub(crate) fd: OwnedFd,
    key: usize,
    value: usize,
}

impl Map {
    /// Makes a map; lengths in bytes.
    pub(crate) fn new(kind: Kind, key: usize, value: usize, entries: usize) -> io::Result<Self> {
        let word = |number: usize| u32::try_from(number).map_err(io::Error::other);
        let attributes = Attributes::new()
            .word(0, kind as u32)
            .word(4, word(key)?)
            .word(8, word(value)?)
            .word(12, word(entries.max(1))?);
        // SAFETY: the command takes no pointers.
        let fd = unsafe { attributes.open(Command::MapCreate)? };
        Ok(Self { fd, key, value })
    }

    /// Sets the value of a key.
    pub(crate) fn insert(&self, key: &[u8], value: &[u8]) -> io::Result<()> {
        assert!(key.len() == self.key && value.len() == self.value, "lengths are those of the map");
        let attributes =
            Attributes::new().descriptor(0, &self.fd).pointer(8, key.as_ptr()).pointer(16, value.as_ptr());
        // SAFETY: both pointers are good for reading as many bytes as the map's keys and values have.
        unsafe { attributes.call(Command::MapUpdate)? };
        Ok(())
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &[u8]) -> io::Result<Vec<u8>> {
        assert!(key.len() == self.key, "the length is that of the map");
        // The kernel rounds values up to eight bytes.
        let mut value = vec![0; self.value.next_multiple_of(8)];
        let attributes = Attributes::new()
            .descriptor(0, &self.fd)
            .pointer(8, key.as_ptr())
            .pointer(16, value.as_mut_ptr().cast_const());
        // SAFETY: the key is good for reading as many bytes as the map's keys have, the value for writing as many
        // as its values have, and nothing else refers to it.
        unsafe { attributes.call(Command::MapLookup)? };
        value.truncate(self.value);
        Ok(value)
    }
}

/// Lets the kernel run a loaded program on each thread, and returns what it wrote.
pub(crate) fn on_each_thread(program: &OwnedFd) -> io::Result<Vec<u8>> {
    let link = Attributes::new().descriptor(0, program).word(8, TRACE_ITERATOR);
    // SAFETY: the command takes no pointers.
    let link = unsafe { link.open(Command::LinkCreate)? };
    // SAFETY: the command takes no pointers.
    let output = unsafe { Attributes::new().descriptor(0, &link).open(Command::IteratorCreate)? };
    let mut bytes = Vec::new();
    if File::from(output).take(MAX_OUTPUT).read_to_end(&mut bytes)? as u64 == MAX_OUTPUT {
        return Err(io::Error::other("the iterator does not end"));
    }
    Ok(bytes)
}

/// `BPF_CGROUP_DEVICE`: where programs that decide about devices are attached.
pub(crate) const CGROUP_DEVICE: u32 = 6;
/// `BPF_TCX_INGRESS` and `BPF_TCX_EGRESS`: where programs that look at an interface's packets are attached.
pub(crate) const TRAFFIC: [u32; 2] = [46, 47];
/// `BPF_F_QUERY_EFFECTIVE`: those of ancestors, too.
pub(crate) const EFFECTIVE: u32 = 1;
/// As much of `struct bpf_prog_info` as is asked for; kernels fill in what they know of it.
const PROGRAM_INFO: usize = 128;

/// Numbers of the programs that are attached to something: a cgroup by its descriptor, an interface by its number.
pub(crate) fn attached(target: u32, kind: u32, flags: u32, most: usize) -> io::Result<Vec<u32>> {
    let mut ids = vec![0_u32; most];
    let mut query = Attributes::new()
        .word(0, target)
        .word(4, kind)
        .word(8, flags)
        .pointer(16, ids.as_mut_ptr().cast_const())
        .word(24, u32::try_from(most).map_err(io::Error::other)?);
    // SAFETY: the list is good for writing as many numbers as the count says, and nothing else refers to it.
    unsafe { query.ask(Command::ProgramQuery)? };
    let count = usize::try_from(query.word_at(24)).map_err(io::Error::other)?;
    if count > most {
        return Err(io::Error::other(format!("{count} programs")));
    }
    ids.truncate(count);
    Ok(ids)
}

/// The instructions of a program, as the verifier left them.
pub(crate) fn instructions(id: u32, most: usize) -> io::Result<Vec<u8>> {
    // SAFETY: the command takes no pointers.
    let program = unsafe { Attributes::new().word(0, id).open(Command::ProgramById)? };
    let length = info(&program, &mut [])?;
    if length == 0 || length > most {
        return Err(io::Error::other(format!("program {id} shows {length} bytes of instructions")));
    }
    let mut bytes = vec![0; length];
    match info(&program, &mut bytes)? {
        same if same == length => Ok(bytes),
        other => {
            Err(io::Error::other(format!("program {id} shows {other} bytes of instructions, not {length}")))
        }
    }
}

/// Asks for a program's instructions; how many bytes it has.
fn info(program: &OwnedFd, to: &mut [u8]) -> io::Result<usize> {
    let mut info = [0_u8; PROGRAM_INFO];
    let length = u32::try_from(to.len()).map_err(io::Error::other)?;
    info[20..24].copy_from_slice(&length.to_ne_bytes());
    info[32..40].copy_from_slice(&(to.as_mut_ptr() as usize as u64).to_ne_bytes());
    let attributes = Attributes::new()
        .descriptor(0, program)
        .word(4, u32::try_from(PROGRAM_INFO).map_err(io::Error::other)?)
        .pointer(8, info.as_mut_ptr().cast_const());
    // SAFETY: the description is good for reading and writing its length, and so are the instructions that it points to;
    // nothing else refers to either.
    unsafe { attributes.call(Command::Info)? };
    let length: [u8; 4] = info[20..24].try_into().map_err(io::Error::other)?;
    usize::try_from(u32::from_ne_bytes(length)).map_err(io::Error::other)
}

/// `BPF_TRACE_ITER`
const TRACE_ITERATOR: u32 = 28;
/// `BPF_PROG_TYPE_TRACING`
const TRACING: u32 = 26;

/// Loads a program that runs on threads. `iterator` is the number of the function `bpf_iter_task` in the kernel's BTF.
///
/// # Errors
/// What bpf(2) answers, with the last word of the kernel's verifier.
pub(crate) fn load(program: &[Instruction], iterator: u32) -> io::Result<OwnedFd> {
    let mut log = Vec::new();
    match load_with_log(program, iterator, &mut log) {
        Err(error) if matches!(error.raw_os_error(), Some(libc::EACCES | libc::EINVAL)) => {
            log = vec![0; LOG_LENGTH];
            load_with_log(program, iterator, &mut log).map_err(|error| refused(&error, &log))
        }
        other => other,
    }
}

fn load_with_log(program: &[Instruction], iterator: u32, log: &mut [u8]) -> io::Result<OwnedFd> {
    let length = |number: usize| u32::try_from(number).map_err(io::Error::other);
    let mut attributes = Attributes::new()
        .word(0, TRACING)
        .word(4, length(program.len())?)
        .pointer(8, program.as_ptr())
        .pointer(16, LICENSE.as_ptr())
        .word(68, TRACE_ITERATOR)
        .word(108, iterator);
    if !log.is_empty() {
        attributes =
            attributes.word(24, 1).word(28, length(log.len())?).pointer(32, log.as_mut_ptr().cast_const());
    }
    // SAFETY: the program is good for reading its length of instructions, the licence ends in a zero, and the log is
    // good for writing its length and nothing else refers to it.
    unsafe { attributes.open(Command::ProgramLoad) }
}

/// The error, with what the kernel's verifier said last.
fn refused(error: &io::Error, log: &[u8]) -> io::Error {
    let text = String::from_utf8_lossy(log.split(|byte| *byte == 0).next().unwrap_or_default());
    let said = text.lines().rfind(|line| !line.is_empty() && !line.starts_with("processed"));
    io::Error::new(error.kind(), format!("{error}: {}", said.unwrap_or("the verifier says nothing")))
}

/// Lifts the limit on locked memory, against which kernels before 5.11 count maps. Where that is not permitted, making
/// a map may fail, and says so.
pub(crate) fn lift_memory_limit() {
    let unlimited = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the pointer is good for reading one rlimit.
    unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const unlimited) };
}
