#define _GNU_SOURCE
#include "CFaultControl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// A driver that died must not hold anybody for ever.
#define HOLD_MAX_MS 120000

struct shared_rule {
    struct fault_rule rule;
    _Atomic uint32_t seen, hits, released;
};

struct fault_control {
    // 0 while nothing is armed, else a number that no earlier arming had.
    _Atomic uint32_t armed;
    uint32_t armings;
    uint32_t count;
    struct shared_rule rules[FAULT_RULES_MAX];
};

// The calls are made by number: the shim has the C library's names for itself.
static struct fault_control *map(const char *path, int flags) {
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC | flags, 0600);
    if (fd < 0) return NULL;
    struct fault_control *control = NULL;
    if (syscall(SYS_ftruncate, fd, sizeof *control) == 0) {
        void *address = (void *)syscall(
            SYS_mmap, NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0L);
        if (address != MAP_FAILED) control = address;
    }
    syscall(SYS_close, fd);
    return control;
}

struct fault_control *fault_control_create(const char *path) { return map(path, O_CREAT | O_EXCL); }
struct fault_control *fault_control_open(const char *path) { return map(path, 0); }
void fault_control_close(struct fault_control *control) { munmap(control, sizeof *control); }

void fault_disarm(struct fault_control *control) { atomic_store(&control->armed, 0); }

void fault_arm(struct fault_control *control, const struct fault_rule *rules, int count) {
    fault_disarm(control);
    if (count > FAULT_RULES_MAX) count = FAULT_RULES_MAX;
    for (int i = 0; i < count; i++) {
        control->rules[i].rule = rules[i];
        atomic_store(&control->rules[i].seen, 0);
        atomic_store(&control->rules[i].hits, 0);
        atomic_store(&control->rules[i].released, 0);
    }
    control->count = (uint32_t)count;
    if (++control->armings == 0) control->armings = 1;
    atomic_store(&control->armed, control->armings);
}

uint32_t fault_hits(struct fault_control *control, int rule) {
    return atomic_load(&control->rules[rule].hits);
}

void fault_release(struct fault_control *control, int rule) {
    atomic_store(&control->rules[rule].released, 1);
}

static void pause_for(long milliseconds) {
    struct timespec time = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
    while (nanosleep(&time, &time) < 0 && errno == EINTR) {}
}

static void hold(struct fault_control *control, struct shared_rule *shared, uint32_t armed) {
    for (int waited = 0; waited < HOLD_MAX_MS; waited++) {
        if (atomic_load(&control->armed) != armed || atomic_load(&shared->released)) return;
        pause_for(1);
    }
}

int fault_reached(
    struct fault_control *control, uint32_t call, uint32_t code, uint32_t moment, const char *path) {
    uint32_t armed = atomic_load(&control->armed);
    if (!armed) return 0;
    int failure = 0;
    for (uint32_t i = 0; i < control->count; i++) {
        struct shared_rule *shared = &control->rules[i];
        struct fault_rule *rule = &shared->rule;
        if (rule->call != call || rule->moment != moment) continue;
        if (rule->code != FAULT_ANY_CODE && rule->code != code) continue;
        if (rule->path[0] && (!path || !strstr(path, rule->path))) continue;
        uint32_t number = atomic_fetch_add(&shared->seen, 1) + 1;
        if (number < rule->first) continue;
        if (rule->times && number >= rule->first + rule->times) continue;
        atomic_fetch_add(&shared->hits, 1);
        switch (rule->action) {
        case FAULT_HOLD: hold(control, shared, armed); break;
        case FAULT_DELAY: pause_for(rule->value); break;
        case FAULT_FAIL: failure = (int)rule->value; break;
        }
    }
    return failure;
}

int fault_is_watched(struct fault_control *control, uint32_t call) {
    if (!atomic_load(&control->armed)) return 0;
    for (uint32_t i = 0; i < control->count; i++)
        if (control->rules[i].rule.call == call) return 1;
    return 0;
}
