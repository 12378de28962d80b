// What a driver of faults and the shim in a process under test share: a small file that both map.
//
// The driver arms rules: "at the n-th call of this kind, do that". The shim counts, acts and tells. No lock: the
// driver writes rules only while nothing is armed.
#ifndef FERRY_FAULT_CONTROL_H
#define FERRY_FAULT_CONTROL_H

#include <stdint.h>

#define FAULT_RULES_MAX 8
#define FAULT_PATH_MAX 64
#define FAULT_ANY_CODE 0xffffffffu

// What is called. The code says which: of a message, a record or a request its kind as it stands in the bytes.
enum fault_call {
    FAULT_MESSAGE = 1,  // a control message to the peer
    FAULT_FRAME = 2,    // a page frame to the peer; no code
    FAULT_RECORD = 3,   // a record of the ledger; 0 writes nothing
    FAULT_REQUEST = 4,  // a request to a ferry-vmm
    FAULT_FILE = 5,     // enum fault_file; the path must contain the rule's
    FAULT_MEMORY = 6,   // enum fault_memory
};

enum fault_file { FAULT_OPEN = 1, FAULT_WRITE, FAULT_FLUSH, FAULT_RENAME, FAULT_MKDIR };
enum fault_memory { FAULT_MEMORY_CREATE = 1, FAULT_MEMORY_SIZE, FAULT_MEMORY_WRITE, FAULT_MEMORY_MAP };

enum fault_moment {
    FAULT_BEFORE = 0,
    FAULT_AFTER = 1,
    FAULT_UNFLUSHED = 2,  // of a record: written, and not flushed yet
};

enum fault_action {
    FAULT_HOLD = 1,   // the calling thread waits until it is released
    FAULT_FAIL = 2,   // the call is not made, and fails with errno `value`; a message: its connection breaks
    FAULT_DELAY = 3,  // the calling thread sleeps for `value` milliseconds
};

struct fault_rule {
    uint32_t call, code, moment, action, value;
    uint32_t first;  // the first matching call that counts, from 1
    uint32_t times;  // how many from there on; 0 for all
    char path[FAULT_PATH_MAX];
};

struct fault_control;

// Makes the file, nothing armed. The driver's. NULL and errno.
struct fault_control *fault_control_create(const char *path);
// Maps a file that is there. The shim's.
struct fault_control *fault_control_open(const char *path);
void fault_control_close(struct fault_control *control);

// At most FAULT_RULES_MAX rules, in force from now on. What is held is let go first.
void fault_arm(struct fault_control *control, const struct fault_rule *rules, int count);
// No rule is in force any more; what is held is let go.
void fault_disarm(struct fault_control *control);
// How often a rule has acted since it was armed.
uint32_t fault_hits(struct fault_control *control, int rule);
// Lets go what a rule holds, now and from now on.
void fault_release(struct fault_control *control, int rule);

// The shim's question at a call. Holds or delays as long as a rule says. Returns 0, or the errno to fail with.
int fault_reached(
    struct fault_control *control, uint32_t call, uint32_t code, uint32_t moment, const char *path);
// Whether any rule in force is about this kind of call: a cheap question before a dear one.
int fault_is_watched(struct fault_control *control, uint32_t call);

#endif
