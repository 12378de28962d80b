// What a process does to itself: its signals, its privileges, its checksums. One function a call.
// Each returns a value >= 0, or -errno, except where it says otherwise.
#ifndef FERRY_CLINUX_PROCESS_H
#define FERRY_CLINUX_PROCESS_H

#include <stddef.h>
#include <stdint.h>

// sigaction(2): an empty handler without SA_RESTART, so that the signal only interrupts a blocking call.
int ferry_interrupt_calls_on(int signal);
// sigaction(2) with SIG_IGN.
int ferry_ignore_signal(int signal);
// Blocks a signal in the calling thread and those it makes; `ferry_wait_signal` then takes one of two.
int ferry_block_signal(int signal);
int ferry_unblock_signal(int signal);
int ferry_wait_signal(int first, int second);

// close_range(2) from `first` up.
int ferry_close_from(int first);
int ferry_set_no_new_privileges(void);
int ferry_set_dumpable(int dumpable);
int ferry_forbid_core_files(void);
// Gives up every capability of the calling thread, also in its bounding set where it may.
int ferry_drop_capabilities(void);
// seccomp(2) on the calling thread and those it makes: other programs, other processes, sockets that are
// not Unix sockets, connections, and the calls that change the system fail with EPERM. Needs no_new_privileges.
int ferry_confine_calls(void);
// execve(2) of a path, without arguments; returns only when it failed.
int ferry_execute(const char *path);

// CPU time of a thread in nanoseconds.
int64_t ferry_thread_cpu_time(unsigned long thread);

// CRC-32C (Castagnoli) of more bytes after `checksum`, by the CPU's instruction where it has one.
// Start with 0. Never fails.
uint32_t ferry_crc32c(uint32_t checksum, const void *bytes, size_t count);

#endif
