#define _GNU_SOURCE
#include "CLinuxProcess.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void nothing(int signal) { (void)signal; }

int ferry_interrupt_calls_on(int signal) {
    struct sigaction action = {.sa_handler = nothing};
    return sigaction(signal, &action, NULL) < 0 ? -errno : 0;
}

int ferry_ignore_signal(int signal) {
    struct sigaction action = {.sa_handler = SIG_IGN};
    return sigaction(signal, &action, NULL) < 0 ? -errno : 0;
}

int ferry_block_signal(int signal) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    return -pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int ferry_unblock_signal(int signal) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    return -pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int ferry_wait_signal(int first, int second) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, first);
    sigaddset(&set, second);
    int result = sigwaitinfo(&set, NULL);
    return result < 0 ? -errno : result;
}

int ferry_close_from(int first) { return syscall(SYS_close_range, first, ~0u, 0) < 0 ? -errno : 0; }

int ferry_set_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0; }

int ferry_set_dumpable(int dumpable) { return prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0) < 0 ? -errno : 0; }

int ferry_forbid_core_files(void) {
    struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none) < 0 ? -errno : 0;
}

int ferry_drop_capabilities(void) {
    // Without CAP_SETPCAP the bounding set stays; with no_new_privileges it grants nothing anyway.
    for (int capability = 0; capability <= 63; capability++) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

// A deny list and not an allow list: the C library and the Swift runtime choose their calls from release to
// release, and a VM must not die of an update. What matters is that nothing here starts a program, makes a
// process, connects to anything, or looks into another process or signals it.
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define REFUSE RETURN(SECCOMP_RET_ERRNO | EPERM)
#define DENY(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), REFUSE

int ferry_confine_calls(void) {
    struct sock_filter filter[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0), REFUSE,
        LOAD(nr),
        // x32 calls have bit 30 set.
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), REFUSE,
        DENY(execve), DENY(execveat), DENY(fork), DENY(vfork), DENY(ptrace),
        DENY(process_vm_readv), DENY(process_vm_writev), DENY(pidfd_getfd), DENY(kcmp),
        DENY(pidfd_open), DENY(pidfd_send_signal), DENY(kill), DENY(tkill), DENY(rt_sigqueueinfo),
        DENY(rt_tgsigqueueinfo), DENY(connect),
        DENY(mount), DENY(umount2), DENY(move_mount), DENY(open_tree), DENY(fsopen), DENY(pivot_root),
        DENY(chroot), DENY(setns), DENY(unshare), DENY(swapon), DENY(swapoff), DENY(reboot),
        DENY(kexec_load), DENY(kexec_file_load), DENY(init_module), DENY(finit_module),
        DENY(delete_module), DENY(bpf), DENY(perf_event_open), DENY(keyctl), DENY(add_key),
        DENY(request_key), DENY(open_by_handle_at), DENY(acct), DENY(settimeofday),
        DENY(clock_settime), DENY(adjtimex), DENY(iopl), DENY(ioperm), DENY(quotactl),
        DENY(io_uring_setup), DENY(personality), DENY(setuid), DENY(setgid),
        // clone3 hides its flags behind a pointer: say that it does not exist, and clone is used.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
        RETURN(SECCOMP_RET_ERRNO | ENOSYS),
        // clone only for threads.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4),
        LOAD(args[0]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x00010000 /* CLONE_THREAD */, 0, 1),
        RETURN(SECCOMP_RET_ALLOW),
        REFUSE,
        // Signals only to threads of this process: the kick that brings a vCPU out of the guest.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 0, 4),
        LOAD(args[0]),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 1, 0),
        REFUSE,
        RETURN(SECCOMP_RET_ALLOW),
        // Sockets only of the Unix kind.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        LOAD(args[0]),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 1, 0),
        REFUSE,
        RETURN(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

int ferry_execute(const char *path) {
    char *const arguments[] = {(char *)path, NULL};
    char *const environment[] = {NULL};
    return execve(path, arguments, environment) < 0 ? -errno : 0;
}

int64_t ferry_thread_cpu_time(unsigned long thread) {
    clockid_t clock;
    struct timespec time;
    int code = pthread_getcpuclockid(thread, &clock);
    if (code != 0) return -code;
    if (clock_gettime(clock, &time) < 0) return -errno;
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

static uint32_t crc32c_by_bits(uint32_t state, const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        state ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) state = (state >> 1) ^ (0x82F63B78 & -(state & 1));
    }
    return state;
}

__attribute__((target("sse4.2")))
static uint32_t crc32c_by_instruction(uint32_t state, const uint8_t *bytes, size_t count) {
    uint64_t wide = state;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        __builtin_memcpy(&word, bytes, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    state = (uint32_t)wide;
    for (; count > 0; bytes++, count--) state = __builtin_ia32_crc32qi(state, *bytes);
    return state;
}

uint32_t ferry_crc32c(uint32_t checksum, const void *bytes, size_t count) {
    return __builtin_cpu_supports("sse4.2") ? ~crc32c_by_instruction(~checksum, bytes, count)
                                            : ~crc32c_by_bits(~checksum, bytes, count);
}
