/* Tries, inside a container, what plimsoll predicts from outside: one line a gate, `ID open` or `ID closed errno`.
 * Every attempt is made in a process of its own and changes nothing that outlives it. Then it waits. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
#define UFFD_USER_MODE_ONLY 1
#define OPEN 0

static char folder[] = "/tmp/inside-XXXXXX";

/* 0, or the errno, of an attempt. */
static int answer(long result) { return result < 0 ? errno : OPEN; }

static long i386(long number, long a, long b, long c) {
#ifdef __x86_64__
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
    if (result < 0) { errno = -result; return -1; }
    return result;
#else
    (void)number; (void)a; (void)b; (void)c;
    errno = ENOSYS;
    return -1;
#endif
}

/* Memory that 32-bit calls can address. */
static void *low(void) {
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
}

static long clone_user(unsigned long flags) {
    long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) _exit(0);
    if (pid > 0) waitpid(pid, NULL, 0);
    return pid;
}

static long clone3_user(unsigned long flags) {
    struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0) _exit(0);
    if (pid > 0) waitpid(pid, NULL, 0);
    return pid;
}

/* One operation of io_uring; its result, or -1 where the ring cannot be made. */
static long ring(struct io_uring_sqe operation) {
    struct io_uring_params params = {0};
    int fd = syscall(SYS_io_uring_setup, 1, &params);
    if (fd < 0) return -1;
    char *sq = mmap(NULL, params.sq_off.array + params.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
    char *cq = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe), PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_CQ_RING);
    struct io_uring_sqe *sqes = mmap(NULL, sizeof operation, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQES);
    if (sq == MAP_FAILED || cq == MAP_FAILED || sqes == MAP_FAILED) return -1;
    sqes[0] = operation;
    ((unsigned *)(sq + params.sq_off.array))[0] = 0;
    __atomic_store_n((unsigned *)(sq + params.sq_off.tail), 1, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0) return -1;
    long result = ((struct io_uring_cqe *)(cq + params.cq_off.cqes))[0].res;
    if (result < 0) { errno = -result; return -1; }
    return result;
}

static long ring_socket(int family, int type) {
    struct io_uring_sqe operation = {.opcode = 45 /* IORING_OP_SOCKET */, .fd = family, .off = type};
    return ring(operation);
}

static long any_socket(int family, int type, int protocol) {
    if (socket(family, type, protocol) >= 0) return 0;
    int first = errno;
    unsigned *args = low();
    if (args != MAP_FAILED) {
        args[0] = family, args[1] = type, args[2] = protocol;
        if (i386(102, 1, (long)args, 0) >= 0 || i386(359, family, type, protocol) >= 0) return 0;
    }
    if (protocol == 0 && ring_socket(family, type) >= 0) return 0;
    errno = first;
    return -1;
}

/* A new user namespace, by any call that makes one for the caller. */
static long user_namespace(unsigned long flags) {
    if (unshare(CLONE_NEWUSER | flags) == 0) return 0;
    int first = errno;
    if (i386(310, CLONE_NEWUSER | flags, 0, 0) == 0) return 0;
    errno = first;
    return -1;
}

static int try_user_namespace(void) {
    if (user_namespace(0) == 0 || clone_user(CLONE_NEWUSER) > 0 || clone3_user(CLONE_NEWUSER) > 0) return OPEN;
    return errno;
}
static int try_clone3(void) { return answer(clone3_user(CLONE_NEWUSER)); }
static int try_user_namespace_i386(void) {
    if (i386(310, CLONE_NEWUSER, 0, 0) == 0) return OPEN;
    int first = errno;
    struct clone_args *args = low();
    if (args == MAP_FAILED) return first;
    args->flags = CLONE_NEWUSER, args->exit_signal = SIGCHLD;
    long pid = i386(435, (long)args, sizeof *args, 0);
    if (pid == 0) _exit(0);
    if (pid < 0) pid = i386(120, CLONE_NEWUSER | SIGCHLD, 0, 0);
    if (pid == 0) _exit(0);
    return pid > 0 ? OPEN : first;
}

static int do_mount(const char *type, const char *data) {
    if (mount("none", folder, type, 0, data) < 0) return errno;
    umount2(folder, MNT_DETACH);
    return OPEN;
}
static int try_mount(void) { return do_mount("tmpfs", NULL); }
static int in_user_namespace(unsigned long flags, int (*attempt)(void)) {
    if (user_namespace(flags) == 0) return attempt();
    int first = errno, status = 0;
    struct clone_args args = {.flags = CLONE_NEWUSER | flags, .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0) _exit(attempt());
    if (pid < 0) pid = syscall(SYS_clone, CLONE_NEWUSER | flags | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) _exit(attempt());
    if (pid < 0) return first;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : first;
}
static int try_mount_userns(void) { return in_user_namespace(CLONE_NEWNS, try_mount); }
static int try_fsopen(void) { return answer(syscall(SYS_fsopen, "tmpfs", 0)); }
static int try_fsopen_userns(void) { return in_user_namespace(CLONE_NEWNS, try_fsopen); }

/* Capability checks come before the mount is looked for: every other error means that it was let through. */
static int mount_cgroup(void) {
    int error = do_mount("cgroup", "pids");
    return error == EPERM || error == EACCES || error == ENOSYS ? error : OPEN;
}
static int try_cgroup_v1(void) {
    int error = mount_cgroup();
    return error == OPEN ? OPEN : in_user_namespace(CLONE_NEWNS | CLONE_NEWCGROUP, mount_cgroup);
}

/* A list of tables: nfnetlink asks for CAP_NET_ADMIN before anything else. */
static int list_tables(void) {
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
    if (fd < 0) return errno;
    struct { struct nlmsghdr head; struct nfgenmsg body; } request = {
        .head = {.nlmsg_len = sizeof request, .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | 1, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP | NLM_F_ACK},
        .body = {.nfgen_family = AF_INET, .version = NFNETLINK_V0},
    };
    struct { struct nlmsghdr head; int error; char rest[4096]; } reply;
    if (send(fd, &request, sizeof request, 0) < 0 || recv(fd, &reply, sizeof reply, 0) < 0) return errno;
    return reply.head.nlmsg_type == NLMSG_ERROR ? -reply.error : OPEN;
}
static int try_nf_tables(void) { return list_tables(); }
static int try_nf_tables_userns(void) { return in_user_namespace(CLONE_NEWNET, list_tables); }

static int try_packet(void) { return answer(any_socket(AF_PACKET, SOCK_RAW, 0x300)); }
static int try_vsock(void) { return answer(any_socket(AF_VSOCK, SOCK_STREAM, 0)); }
static int try_vsock_i386(void) {
    unsigned *args = low();
    args[0] = AF_VSOCK, args[1] = SOCK_STREAM, args[2] = 0;
    if (i386(102, 1, (long)args, 0) >= 0 || i386(359, AF_VSOCK, SOCK_STREAM, 0) >= 0) return OPEN;
    return errno;
}
static int try_alg(void) { return answer(any_socket(AF_ALG, SOCK_SEQPACKET, 0)); }

static int try_splice(void) {
    int ends[2], file = open("/proc/self/exe", O_RDONLY);
    if (pipe(ends) < 0 || file < 0) return errno;
    if (splice(file, NULL, ends[1], NULL, 16, 0) >= 0) return OPEN;
    int first = errno;
    if (i386(313, file, 0, ends[1]) >= 0 || (errno != EPERM && errno != ENOSYS)) return OPEN;
    struct io_uring_sqe operation = {.opcode = IORING_OP_SPLICE, .fd = ends[1], .off = -1, .len = 16};
    operation.splice_off_in = -1, operation.splice_fd_in = file;
    if (ring(operation) >= 0) return OPEN;
    return first;
}
static int try_io_uring(void) {
    struct io_uring_params params = {0};
    return answer(syscall(SYS_io_uring_setup, 1, &params));
}
static int try_bpf(void) {
    union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    return answer(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr));
}
static int try_perf(void) {
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof attr, .config = PERF_COUNT_SW_DUMMY, .exclude_kernel = 1, .exclude_hv = 1};
    return answer(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}
static int try_userfaultfd(void) { return answer(syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY)); }
static int try_keyring(void) { return answer(syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -5 /* user session */, 0)); }
static int try_ptrace(void) { return answer(ptrace(PTRACE_TRACEME, 0, NULL, NULL)); }

static int open_node(const char *path, mode_t mode, dev_t device) {
    /* Device nodes work below /dev, whatever the file system of the container's root is. */
    const char *made = "/dev/inside-node";
    if (mknod(made, mode | 0600, device) == 0) path = made;
    else if (path == NULL) return errno;
    int fd = open(path, O_RDONLY | O_NONBLOCK), error = errno;
    unlink(made);
    return fd >= 0 || (error != EPERM && error != ENOENT && error != EACCES) ? OPEN : error;
}
static int try_fuse(void) { return open_node("/dev/fuse", S_IFCHR, makedev(10, 229)); }
static int try_host_disks(void) { return open_node("/dev/loop0", S_IFBLK, makedev(7, 0)); }

static int try_new_privileges(void) { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 ? OPEN : EPERM; }
static int try_set_user_id(void) {
    struct stat file;
    struct statvfs mounted;
    if (stat("/bin/su", &file) < 0 || statvfs("/bin/su", &mounted) < 0) return errno;
    if (!(file.st_mode & S_ISUID) || file.st_uid != 0 || mounted.f_flag & ST_NOSUID) return EPERM;
    return try_new_privileges();
}
static int try_file_handles(void) {
    struct { struct file_handle head; char bytes[128]; } handle = {.head = {.handle_bytes = 128}};
    int id, root = open("/", O_RDONLY | O_DIRECTORY);
    if (syscall(SYS_name_to_handle_at, root, "", &handle.head, &id, AT_EMPTY_PATH) < 0) {
        handle.head.handle_bytes = 8, handle.head.handle_type = 1;
    }
    long fd = syscall(SYS_open_by_handle_at, root, &handle.head, O_RDONLY);
    return fd >= 0 || (errno != EPERM && errno != ENOSYS) ? OPEN : errno;
}
static int try_core_pattern(void) { return answer(open("/proc/sys/kernel/core_pattern", O_WRONLY)); }
static int try_module(void) {
    long done = syscall(SYS_init_module, NULL, 0, "");
    return done == 0 || (errno != EPERM && errno != ENOSYS) ? OPEN : errno;
}
static int try_raw_io(void) {
#ifdef __x86_64__
    return answer(iopl(3));
#else
    return ENOSYS;
#endif
}
static int try_engine_socket(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/engine.sock"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return answer(connect(fd, (struct sockaddr *)&address, sizeof address));
}
static int try_host_files(void) { return answer(access("/host-etc", W_OK)); }

/* Processes of the host, by their numbers there: seizing one does not stop it. */
static const char *victims = "";
static int try_host_processes(void) {
    int error = ESRCH;
    for (const char *at = victims; *at != 0;) {
        char *end;
        pid_t pid = strtol(at, &end, 10);
        if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0) return OPEN;
        error = errno;
        at = *end == ',' ? end + 1 : end;
    }
    return error;
}
static int try_host_descriptor(void) { return answer(openat(3, "etc/shadow", O_RDONLY)); }

static const struct { const char *id; int (*attempt)(void); } attempts[] = {
    {"user-namespace", try_user_namespace},
    {"user-namespace-clone3", try_clone3},
    {"user-namespace-i386", try_user_namespace_i386},
    {"mount", try_mount},
    {"mount-in-user-namespace", try_mount_userns},
    {"fsopen", try_fsopen},
    {"fsopen-in-user-namespace", try_fsopen_userns},
    {"cgroup-v1-mount", try_cgroup_v1},
    {"nf-tables", try_nf_tables},
    {"nf-tables-in-user-namespace", try_nf_tables_userns},
    {"packet-socket", try_packet},
    {"vsock", try_vsock},
    {"vsock-i386", try_vsock_i386},
    {"crypto-socket", try_alg},
    {"splice", try_splice},
    {"io-uring", try_io_uring},
    {"bpf", try_bpf},
    {"perf-event", try_perf},
    {"userfaultfd", try_userfaultfd},
    {"keyring", try_keyring},
    {"ptrace", try_ptrace},
    {"fuse", try_fuse},
    {"set-user-id", try_set_user_id},
    {"new-privileges", try_new_privileges},
    {"file-handles", try_file_handles},
    {"core-pattern", try_core_pattern},
    {"module-load", try_module},
    {"host-disks", try_host_disks},
    {"raw-io", try_raw_io},
    {"host-processes", try_host_processes},
    {"engine-socket", try_engine_socket},
    {"host-files", try_host_files},
    {"host-descriptor", try_host_descriptor},
};

/* A filter that the process puts on itself: no splice, no netlink. */
static void filter_oneself(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_splice, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) perror("filter");
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--filter") == 0) filter_oneself();
        else victims = argv[i];
    }
    if (mkdtemp(folder) == NULL) strcpy(folder, "/mnt");
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            alarm(10);
            int error = attempts[i].attempt();
            _exit(error == OPEN ? 0 : error);
        }
        int status = -1;
        waitpid(pid, &status, 0);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) printf("%s open\n", attempts[i].id);
        else if (WIFEXITED(status)) printf("%s closed %s\n", attempts[i].id, strerror(WEXITSTATUS(status)));
        else printf("%s closed by signal %d\n", attempts[i].id, WTERMSIG(status));
        fflush(stdout);
    }
    printf("done\n");
    fflush(stdout);
    for (;;) pause();
}
