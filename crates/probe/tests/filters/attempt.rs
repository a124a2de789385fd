//! Calls with any number and arguments, by each way into the kernel. They are handed to a listener, not made.
#![expect(unsafe_code, reason = "system calls with any number and arguments")]

use std::arch::asm;

/// By `syscall`.
pub(crate) fn of_x86_64(number: u64, args: [u64; 6]) -> i64 {
    let result: i64;
    // SAFETY: the call is not made; the instruction loses rcx and r11.
    unsafe {
        asm!("syscall", inlateout("rax") number => result, in("rdi") args[0], in("rsi") args[1], in("rdx") args[2],
             in("r10") args[3], in("r8") args[4], in("r9") args[5], out("rcx") _, out("r11") _);
    }
    result
}

/// By `int 0x80`.
pub(crate) fn of_i386(number: u32, args: [u64; 6]) -> i64 {
    let args = args.map(|arg| arg as u32);
    let result: u32;
    // SAFETY: the call is not made; registers that the compiler does not give are saved around it.
    unsafe {
        asm!("push rbx", "push rbp",
             "mov ebx, [r12]", "mov ecx, [r12 + 4]", "mov edx, [r12 + 8]",
             "mov esi, [r12 + 12]", "mov edi, [r12 + 16]", "mov ebp, [r12 + 20]",
             "int 0x80", "pop rbp", "pop rbx",
             inlateout("eax") number => result, in("r12") args.as_ptr(), out("rcx") _, out("rdx") _, out("rsi") _,
             out("rdi") _, out("r8") _, out("r9") _, out("r10") _, out("r11") _);
    }
    i64::from(result.cast_signed())
}
