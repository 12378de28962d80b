// The Linux calls that Swift cannot import: variadic ones, and those whose arguments are macros.
// No logic: one function a call. Each returns a value >= 0, or -errno.
#ifndef FERRY_CLINUX_H
#define FERRY_CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "CLinuxKVM.h"
#include "CLinuxProcess.h"

// memfd_create(2), always close-on-exec. `huge_pages` != 0 asks for 2 MiB hugetlb pages.
int ferry_memfd_create(const char *name, int huge_pages);

// fcntl(2) F_ADD_SEALS with F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL: the size stays for good.
int ferry_seal_size(int fd);

// fcntl(2) F_GET_SEALS; FERRY_SEAL_SHRINK is F_SEAL_SHRINK.
#define FERRY_SEAL_SHRINK 2
int ferry_get_seals(int fd);

// sendmsg(2)/recvmsg(2) of one buffer with up to FERRY_FDS_MAX descriptors (SCM_RIGHTS).
// Received descriptors are close-on-exec. `fd_count` is in and out for receive.
// Returns the number of bytes; receive returns -EMSGSIZE if control data was cut off.
#define FERRY_FDS_MAX 8
ssize_t ferry_send_with_fds(int socket, const void *bytes, size_t count, const int *fds, size_t fd_count);
ssize_t ferry_receive_with_fds(int socket, void *bytes, size_t count, int *fds, size_t *fd_count);

// accept4(2) with SOCK_CLOEXEC.
int ferry_accept(int listener);

// prctl(PR_SET_NAME) of the calling thread; at most 15 bytes are kept.
int ferry_set_thread_name(const char *name);

// setpriority(2) of the calling thread alone (Linux: who = tid).
int ferry_set_thread_nice(int nice);

// SO_PEERCRED of a Unix socket.
int ferry_peer_credentials(int socket, pid_t *pid, uid_t *uid);

// lseek(2) with SEEK_DATA and SEEK_HOLE: the next byte that has memory behind it, and the next that has not.
off_t ferry_seek_data(int fd, off_t from);
off_t ferry_seek_hole(int fd, off_t from);

// eventfd(2), close-on-exec and non-blocking.
int ferry_eventfd(void);

// fallocate(2) with FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE.
int ferry_punch_hole(int fd, off_t offset, off_t length);

// pidfd_open(2): close-on-exec; readable once the process has ended.
int ferry_pidfd_open(pid_t process);

// pidfd_send_signal(2)
int ferry_pidfd_send_signal(int pidfd, int signal);

// posix_spawn(3) into a session of its own: input from /dev/null, output and errors appended to `log`, nothing
// else inherited, no signal blocked or ignored. `arguments` and `environment` end with NULL. Returns the
// process's number.
int ferry_spawn_detached(
    const char *program, char *const arguments[], char *const environment[], const char *log);

#endif
