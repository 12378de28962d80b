// Loaded with LD_PRELOAD into an agent or a ferry-vmm under test: stands between it and the calls by which it
// talks to its peer, its disk and its VMs, and does there what the driver's rules say. The programs are the
// ones that users run: they know nothing of it.
//
// A control message, a ledger record and a request to a ferry-vmm are known by their bytes, as PeerMessage.swift,
// LedgerSlots.swift and VMMMessage.swift of Ferry lay them out. Only OpenSSL is called by name; what the C library
// would do is done by the kernel's own calls, so that nothing here can call itself.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "CFaultControl.h"

static struct fault_control *control;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FERRY_FAULT_CONTROL");
    if (path) control = fault_control_open(path);
}

static int is_watched(uint32_t call) { return control && fault_is_watched(control, call); }

// 0, or -1 with errno set.
static int reached(uint32_t call, uint32_t code, uint32_t moment, const char *path) {
    int code_to_fail_with = fault_reached(control, call, code, moment, path);
    if (!code_to_fail_with) return 0;
    errno = code_to_fail_with;
    return -1;
}

// The path of an open file, empty when it has none.
static const char *path_of(int fd, char *buffer, size_t size) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t count = syscall(SYS_readlink, link, buffer, size - 1);
    buffer[count > 0 ? count : 0] = 0;
    return buffer;
}

static int has_suffix(const char *text, const char *suffix) {
    size_t count = strlen(text), wanted = strlen(suffix);
    return count >= wanted && strcmp(text + count - wanted, suffix) == 0;
}

static uint32_t read32(const uint8_t *bytes) {
    uint32_t value;
    memcpy(&value, bytes, 4);
    return value;
}

static uint16_t read16(const uint8_t *bytes) {
    uint16_t value;
    memcpy(&value, bytes, 2);
    return value;
}

// ---- the peer ----

typedef struct ssl_st SSL;

// The kind of a whole control message; 0 for what is none. Page frames have longer headers.
static uint32_t message_kind(const uint8_t *bytes, size_t count) {
    if (count < 8 || read32(bytes) != count - 8 || read16(bytes + 6) != 0) return 0;
    return read16(bytes + 4);
}

int SSL_write_ex(SSL *ssl, const void *bytes, size_t count, size_t *written) {
    static int (*next)(SSL *, const void *, size_t, size_t *);
    if (!next) next = (int (*)(SSL *, const void *, size_t, size_t *))dlsym(RTLD_NEXT, "SSL_write_ex");
    if (!is_watched(FAULT_MESSAGE) && !is_watched(FAULT_FRAME)) return next(ssl, bytes, count, written);
    uint32_t kind = message_kind(bytes, count);
    uint32_t call = kind ? FAULT_MESSAGE : FAULT_FRAME;
    // A message that fails is a connection that breaks before it.
    if (fault_reached(control, call, kind, FAULT_BEFORE, NULL)) {
        int (*descriptor)(const SSL *) = (int (*)(const SSL *))dlsym(RTLD_NEXT, "SSL_get_fd");
        shutdown(descriptor(ssl), SHUT_RDWR);
    }
    int result = next(ssl, bytes, count, written);
    int code = errno;
    if (result == 1) fault_reached(control, call, kind, FAULT_AFTER, NULL);
    errno = code;
    return result;
}

// ---- the ledger, and memory that is written as a file ----

#define SLOT_BYTES 128
// The kind of the record that this thread has written to a ledger and not flushed, +1.
static _Thread_local uint32_t unflushed_record;

static int is_ledger(int fd) {
    char path[4096];
    return has_suffix(path_of(fd, path, sizeof path), "/ledger");
}

static uint32_t record_kind(const uint8_t *slot) { return read16(slot + 8) ? slot[10] : 0; }

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    if (is_watched(FAULT_RECORD) && count == SLOT_BYTES && offset % SLOT_BYTES == 0 && is_ledger(fd)) {
        uint32_t kind = record_kind(bytes);
        if (reached(FAULT_RECORD, kind, FAULT_BEFORE, NULL)) return -1;
        unflushed_record = kind + 1;
    } else if (is_watched(FAULT_MEMORY)) {
        char path[4096];
        if (strncmp(path_of(fd, path, sizeof path), "/memfd:", 7) == 0
            && reached(FAULT_MEMORY, FAULT_MEMORY_WRITE, FAULT_BEFORE, path)) return -1;
    }
    return syscall(SYS_pwrite64, fd, bytes, count, offset);
}

int fdatasync(int fd) {
    uint32_t record = unflushed_record;
    unflushed_record = 0;
    if (!record || !is_watched(FAULT_RECORD)) return (int)syscall(SYS_fdatasync, fd);
    if (reached(FAULT_RECORD, record - 1, FAULT_UNFLUSHED, NULL)) return -1;
    int result = (int)syscall(SYS_fdatasync, fd);
    if (result == 0) fault_reached(control, FAULT_RECORD, record - 1, FAULT_AFTER, NULL);
    return result;
}

// ---- ferry-vmm ----

// The kind of a whole request to a ferry-vmm; 0 for what is none.
static uint32_t request_kind(const struct msghdr *message) {
    if (message->msg_iovlen != 1 || message->msg_iov[0].iov_len < 12) return 0;
    const uint8_t *bytes = message->msg_iov[0].iov_base;
    if (read32(bytes) != message->msg_iov[0].iov_len - 12 || read16(bytes + 6) != 1) return 0;
    uint32_t kind = read16(bytes + 4);
    return kind < 0x8000 ? kind : 0;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    uint32_t kind = is_watched(FAULT_REQUEST) ? request_kind(message) : 0;
    if (kind && reached(FAULT_REQUEST, kind, FAULT_BEFORE, NULL)) return -1;
    ssize_t result = syscall(SYS_sendmsg, fd, message, flags);
    int code = errno;
    if (kind && result >= 0) fault_reached(control, FAULT_REQUEST, kind, FAULT_AFTER, NULL);
    errno = code;
    return result;
}

// ---- files ----

static int file_reached(uint32_t code, const char *path) {
    return is_watched(FAULT_FILE) ? reached(FAULT_FILE, code, FAULT_BEFORE, path) : 0;
}

static int open_file_reached(uint32_t code, int fd) {
    if (!is_watched(FAULT_FILE)) return 0;
    char path[4096];
    return reached(FAULT_FILE, code, FAULT_BEFORE, path_of(fd, path, sizeof path));
}

int open(const char *path, int flags, ...) {
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    if ((flags & (O_WRONLY | O_RDWR | O_CREAT)) && file_reached(FAULT_OPEN, path)) return -1;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    if (open_file_reached(FAULT_WRITE, fd)) return -1;
    return syscall(SYS_write, fd, bytes, count);
}

int fsync(int fd) {
    if (open_file_reached(FAULT_FLUSH, fd)) return -1;
    return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to) {
    if (file_reached(FAULT_RENAME, to)) return -1;
    return (int)syscall(SYS_rename, from, to);
}

int mkdir(const char *path, mode_t mode) {
    if (file_reached(FAULT_MKDIR, path)) return -1;
    return (int)syscall(SYS_mkdir, path, mode);
}

// ---- memory ----

int memfd_create(const char *name, unsigned flags) {
    if (is_watched(FAULT_MEMORY) && reached(FAULT_MEMORY, FAULT_MEMORY_CREATE, FAULT_BEFORE, name)) return -1;
    return (int)syscall(SYS_memfd_create, name, flags);
}

int ftruncate(int fd, off_t size) {
    if (is_watched(FAULT_MEMORY)) {
        char path[4096];
        if (strncmp(path_of(fd, path, sizeof path), "/memfd:", 7) == 0
            && reached(FAULT_MEMORY, FAULT_MEMORY_SIZE, FAULT_BEFORE, path)) return -1;
    }
    return (int)syscall(SYS_ftruncate, fd, size);
}

void *mmap(void *address, size_t count, int protection, int flags, int fd, off_t offset) {
    if (fd >= 0 && is_watched(FAULT_MEMORY)) {
        char path[4096];
        if (strncmp(path_of(fd, path, sizeof path), "/memfd:", 7) == 0
            && reached(FAULT_MEMORY, FAULT_MEMORY_MAP, FAULT_BEFORE, path)) return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, address, count, protection, flags, fd, offset);
}
