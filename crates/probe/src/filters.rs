//! The seccomp filters of all threads, without stopping any: small BPF programs, written for the running kernel, walk
//! over its tasks and copy the programs that each filter was loaded from.
//!
//! Needs Linux 5.8 with BTF and `CONFIG_CHECKPOINT_RESTORE`, `CAP_BPF` and `CAP_PERFMON` (or `CAP_SYS_ADMIN`), and a
//! kernel that is not locked down for confidentiality.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use crate::assembler::{Assembler, Helper, Instruction, R, RESULT, Width};
use crate::bpf::{self, Kind, Map};
use crate::layout::Layout;

/// Most filters on one thread that are followed; the verifier walks through each of them.
pub const MAX_FILTERS: usize = 128;
/// Most bytes of programs that are read; the shortest come first.
const MAX_BYTES: usize = 64 << 20;
/// Most bytes of kernel memory that one copy takes.
const MAX_STORAGE: usize = 16 << 20;
/// Bytes of an instruction of classic BPF.
const INSTRUCTION: usize = 8;
/// Clock ticks of `/proc/PID/stat` in nanoseconds (`USER_HZ` is 100 on every architecture that is read here).
const NANOSECONDS_A_TICK: u64 = 10_000_000;

/// Why filters could not be read in this way.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel was built without `CONFIG_DEBUG_INFO_BTF`.
    #[error("/sys/kernel/btf/vmlinux: {0}")]
    NoDescription(io::Error),
    /// Its description of types is not understood.
    #[error("/sys/kernel/btf/vmlinux is not in the format that is known")]
    Description,
    /// A member of a structure is not there.
    #[error("this kernel has no {0}.{1}")]
    NoMember(&'static str, &'static str),
    /// Linux before 5.8.
    #[error("this kernel has no iterator over tasks")]
    NoIterator,
    /// bpf(2) failed.
    #[error("bpf: {0}")]
    Bpf(#[from] io::Error),
}

/// A thread that seccomp restricts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// Its process.
    pub pid: u32,
    /// Its own id.
    pub tid: u32,
    /// When it started, in clock ticks since boot, as in `/proc/PID/stat`.
    pub started: u64,
    /// 1 strict, 2 filter.
    pub mode: u32,
    /// Place of its filter in [`Snapshot::filters`]; `None` in strict mode.
    pub filter: Option<usize>,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Every thread that seccomp restricts.
    pub threads: Vec<Thread>,
    /// Distinct filters: places in [`Snapshot::programs`], the newest first; or why it could not be read.
    pub filters: Vec<Result<Vec<usize>, &'static str>>,
    /// Distinct programs: arrays of `struct sock_filter`.
    pub programs: Vec<Vec<u8>>,
}

/// Reads the filters of all threads.
///
/// # Errors
/// When this way is not open here. A filter that could not be read while others could is an error of its own in the
/// snapshot.
pub fn read() -> Result<Snapshot, Error> {
    let layout = Layout::of_kernel()?;
    bpf::lift_memory_limit();
    let tasks = tasks(&layout)?;
    let mut one_of: BTreeMap<u64, u32> = BTreeMap::new();
    for task in tasks.iter().filter(|task| task.newest != 0) {
        one_of.entry(task.newest).or_insert(task.tid);
    }
    let wanted = wanted(one_of.values().copied())?;
    let lister = bpf::load(&lister(&layout, &wanted), layout.iterator)?;
    let before = nodes(&lister)?;
    let copies = copies(&layout, &before)?;
    // A thread that still has the same nodes had them all the time, and the kernel kept what was copied.
    let after: HashSet<Node> = nodes(&lister)?.into_iter().collect();
    let nodes: Vec<Node> = before.into_iter().filter(|node| after.contains(node)).collect();
    Ok(assemble(&tasks, &one_of, &nodes, &copies))
}

/// A row of the first program. Addresses never leave this module.
#[derive(Clone, Copy, Debug)]
struct Task {
    tid: u32,
    pid: u32,
    mode: u32,
    started: u64,
    newest: u64,
}

/// A filter of one thread: the programs of a filter are those of all nodes from its newest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Node {
    tid: u32,
    /// 0 is the newest.
    depth: u32,
    address: u64,
    /// Address of the instructions.
    instructions: u64,
    /// Number of instructions; 0 where the kernel does not keep the original.
    length: u32,
}

const SEQ: R = R(6);
const TASK: R = R(7);
const DEPTH: R = R(8);
const NODE: R = R(9);

/// Begins a program: `SEQ` is what it writes to, `TASK` the thread; with none, it ends.
fn begin() -> Assembler {
    let mut a = Assembler::default();
    a.load(Width::U64, TASK, R(1), 8).jump_if_equal(TASK, 0, "end");
    a.load(Width::U64, SEQ, R(1), 0).load(Width::U64, SEQ, SEQ, 0);
    a
}

/// Writes `length` bytes of the stack.
fn write(a: &mut Assembler, slot: i16, length: i32) {
    a.copy(R(1), SEQ).address(R(2), slot).set(R(3), length).call(Helper::SeqWrite);
}

fn tasks(layout: &Layout) -> Result<Vec<Task>, Error> {
    let mut a = begin();
    a.load(Width::U32, R(1), TASK, layout.mode).jump_if_equal(R(1), 0, "end").spill(Width::U32, -24, R(1));
    a.load(Width::U32, R(1), TASK, layout.tid).spill(Width::U32, -32, R(1));
    a.load(Width::U32, R(1), TASK, layout.pid).spill(Width::U32, -28, R(1));
    a.set(R(1), 0).spill(Width::U32, -20, R(1));
    a.load(Width::U64, R(1), TASK, layout.started).spill(Width::U64, -16, R(1));
    a.load(Width::U64, R(1), TASK, layout.newest).spill(Width::U64, -8, R(1));
    write(&mut a, -32, 32);
    let program = bpf::load(&a.label("end").finish(), layout.iterator)?;
    let rows = bpf::on_each_thread(&program)?;
    let rows = rows.as_chunks::<32>().0.iter().map(|row| {
        let word = |at| u32_at(row, at);
        let (started, newest) = (u64_at(row, 16), u64_at(row, 24));
        Task { tid: word(0), pid: word(4), mode: word(8), started, newest }
    });
    Ok(rows.collect())
}

fn wanted(threads: impl Iterator<Item = u32> + Clone) -> Result<Map, Error> {
    let map = Map::new(Kind::Hash, 4, 4, threads.clone().count())?;
    for tid in threads {
        map.insert(&tid.to_ne_bytes(), &[0; 4])?;
    }
    Ok(map)
}

/// The program that lists the nodes of the wanted threads.
fn lister(layout: &Layout, wanted: &Map) -> Vec<Instruction> {
    let mut a = begin();
    a.load(Width::U32, R(1), TASK, layout.tid).spill(Width::U32, -40, R(1));
    a.map(R(1), wanted.fd.as_fd()).address(R(2), -40).call(Helper::MapLookup);
    a.jump_if_equal(RESULT, 0, "end");
    a.load(Width::U64, NODE, TASK, layout.newest).set(DEPTH, 0).label("next");
    a.jump_if_equal(NODE, 0, "end").jump_if_greater(DEPTH, MAX_FILTERS as i32 - 1, "end");
    a.spill(Width::U32, -36, DEPTH).spill(Width::U64, -32, NODE);
    a.load(Width::U64, R(1), NODE, layout.program).load(Width::U64, R(1), R(1), layout.original);
    a.load(Width::U64, R(2), R(1), layout.instructions).spill(Width::U64, -24, R(2));
    a.load(Width::U16, R(1), R(1), layout.length).spill(Width::U64, -16, R(1));
    write(&mut a, -40, 32);
    a.load(Width::U64, NODE, NODE, layout.previous).add(DEPTH, 1).jump_to("next");
    a.label("end").finish()
}

fn nodes(lister: &OwnedFd) -> Result<Vec<Node>, Error> {
    let rows = bpf::on_each_thread(lister)?;
    let rows = rows.as_chunks::<32>().0.iter().map(|row| Node {
        tid: u32_at(row, 0),
        depth: u32_at(row, 4),
        address: u64_at(row, 8),
        instructions: u64_at(row, 16),
        length: u32_at(row, 24),
    });
    Ok(rows.collect())
}

/// Copies the program of each distinct node, by the node's address.
fn copies(layout: &Layout, nodes: &[Node]) -> Result<HashMap<u64, Vec<u8>>, Error> {
    let mut distinct: Vec<&Node> = nodes.iter().filter(|node| node.length > 0).collect();
    distinct.sort_unstable_by_key(|node| (node.length, node.address));
    distinct.dedup_by_key(|node| node.address);
    let mut total = 0;
    distinct.retain(|node| {
        total += node.length as usize * INSTRUCTION;
        total <= MAX_BYTES
    });
    let mut copies = HashMap::new();
    while let Some(last) = distinct.last() {
        // The longest is last: every value of the map is as long as it.
        let longest = last.length as usize * INSTRUCTION;
        let batch = distinct.split_off(distinct.len().saturating_sub((MAX_STORAGE / longest).max(1)));
        copy(layout, &batch, longest, &mut copies)?;
    }
    Ok(copies)
}

/// What the third program does: one row of the work for each thread that it is shown.
struct Work {
    /// The next row.
    next: Map,
    /// Rows: address of the instructions (8 bytes), their length in bytes (4), whether they were copied (4).
    rows: Map,
    /// A place for the instructions of each row.
    storage: Map,
}

fn copy(
    layout: &Layout,
    nodes: &[&Node],
    longest: usize,
    copies: &mut HashMap<u64, Vec<u8>>,
) -> Result<(), Error> {
    let work = Work {
        next: Map::new(Kind::Array, 4, 4, 1)?,
        rows: Map::new(Kind::Array, 4, 16, nodes.len())?,
        storage: Map::new(Kind::Array, 4, longest, nodes.len())?,
    };
    for (node, row) in nodes.iter().zip(0_u32..) {
        let length = node.length * INSTRUCTION as u32;
        let value = [&node.instructions.to_ne_bytes()[..], &length.to_ne_bytes(), &[0; 4]].concat();
        work.rows.insert(&row.to_ne_bytes(), &value)?;
    }
    let program = bpf::load(&copier(&work, longest), layout.iterator)?;
    let mut done = 0;
    while done < nodes.len() {
        bpf::on_each_thread(&program)?;
        let before = std::mem::replace(&mut done, u32_at(&work.next.get(&[0; 4])?, 0) as usize);
        if done <= before {
            return Err(Error::Bpf(io::Error::other("the iterator was shown no thread")));
        }
    }
    for (node, row) in nodes.iter().zip(0_u32..) {
        let row = row.to_ne_bytes();
        if u32_at(&work.rows.get(&row)?, 12) == 1 {
            let mut program = work.storage.get(&row)?;
            program.truncate(node.length as usize * INSTRUCTION);
            copies.insert(node.address, program);
        }
    }
    Ok(())
}

fn copier(work: &Work, longest: usize) -> Vec<Instruction> {
    const NEXT: R = R(6);
    const ROW: R = R(7);
    let mut a = Assembler::default();
    a.set(R(1), 0).spill(Width::U32, -4, R(1));
    a.map(R(1), work.next.fd.as_fd()).address(R(2), -4).call(Helper::MapLookup);
    a.jump_if_equal(RESULT, 0, "end").copy(NEXT, RESULT);
    a.load(Width::U32, R(1), NEXT, 0).spill(Width::U32, -4, R(1));
    a.map(R(1), work.rows.fd.as_fd()).address(R(2), -4).call(Helper::MapLookup);
    a.jump_if_equal(RESULT, 0, "end").copy(ROW, RESULT);
    a.load(Width::U32, R(1), NEXT, 0).add(R(1), 1).store(Width::U32, NEXT, 0, R(1));
    a.map(R(1), work.storage.fd.as_fd()).address(R(2), -4).call(Helper::MapLookup);
    a.jump_if_equal(RESULT, 0, "end");
    a.load(Width::U32, R(2), ROW, 8).jump_if_greater(R(2), longest as i32, "end");
    a.load(Width::U64, R(3), ROW, 0).copy(R(1), RESULT).call(Helper::ProbeReadKernel);
    a.jump_if_not_equal(RESULT, 0, "end");
    a.set(R(1), 1).store(Width::U32, ROW, 12, R(1));
    a.label("end").finish()
}

/// Puts together what the programs wrote.
fn assemble(
    tasks: &[Task],
    one_of: &BTreeMap<u64, u32>,
    nodes: &[Node],
    copies: &HashMap<u64, Vec<u8>>,
) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let mut by_thread: HashMap<u32, Vec<&Node>> = HashMap::new();
    for node in nodes {
        by_thread.entry(node.tid).or_default().push(node);
    }
    let mut programs: HashMap<&[u8], usize> = HashMap::new();
    let mut filters: HashMap<Result<Vec<usize>, &'static str>, usize> = HashMap::new();
    let mut places: HashMap<u64, usize> = HashMap::new();
    for (newest, tid) in one_of {
        let nodes = by_thread.get(tid).map_or(&[][..], Vec::as_slice);
        let filter = programs_of(*newest, nodes, copies).map(|copied| {
            copied
                .into_iter()
                .map(|program| {
                    *programs.entry(program).or_insert_with(|| {
                        snapshot.programs.push(program.to_owned());
                        snapshot.programs.len() - 1
                    })
                })
                .collect()
        });
        let place = *filters.entry(filter).or_insert_with_key(|filter| {
            snapshot.filters.push(filter.clone());
            snapshot.filters.len() - 1
        });
        places.insert(*newest, place);
    }
    snapshot.threads = tasks
        .iter()
        .map(|task| Thread {
            pid: task.pid,
            tid: task.tid,
            started: task.started / NANOSECONDS_A_TICK,
            mode: task.mode,
            filter: places.get(&task.newest).copied(),
        })
        .collect();
    snapshot
}

/// The programs of the filter whose newest node is at this address.
fn programs_of<'c>(
    newest: u64,
    nodes: &[&Node],
    copies: &'c HashMap<u64, Vec<u8>>,
) -> Result<Vec<&'c [u8]>, &'static str> {
    if nodes.first().is_none_or(|node| node.address != newest) {
        return Err("the thread ended or changed its filter while it was read");
    }
    if nodes.len() >= MAX_FILTERS {
        return Err("more filters on one thread than are followed");
    }
    if nodes.iter().any(|node| node.length == 0) {
        return Err("the kernel does not keep the programs as they were loaded (CONFIG_CHECKPOINT_RESTORE)");
    }
    let in_order = nodes.iter().zip(0..).all(|(node, depth)| node.depth == depth);
    let copied: Option<Vec<&[u8]>> =
        nodes.iter().map(|node| copies.get(&node.address).map(Vec::as_slice)).collect();
    copied
        .filter(|_| in_order)
        .ok_or("the thread ended while it was read, or there are too many long programs")
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_ne_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|word| word.try_into().ok()).map_or(0, u64::from_ne_bytes)
}
