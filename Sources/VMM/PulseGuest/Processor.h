/* What Swift sees of the processor and of `Boot.S`. */

#include <stdint.h>
#include "Limits.h"

/* One trip to ring 0: see `Ring0` for the services. */
uint64_t ring0(uint64_t service, uint64_t first, uint64_t second);

extern uint64_t pulse_page_directories[512];
extern const uint8_t pulse_trampoline[];
extern const uint8_t pulse_trampoline_end[];
extern uint8_t pulse_image_end[];

static inline uint64_t *page_directories(void) { return pulse_page_directories; }
static inline const uint8_t *trampoline(void) { return pulse_trampoline; }
static inline uint64_t trampoline_bytes(void) {
    return (uint64_t)(pulse_trampoline_end - pulse_trampoline);
}
static inline uint64_t image_end(void) { return (uint64_t)pulse_image_end; }

static inline uint64_t timestamp(void) { return __builtin_ia32_rdtsc(); }
static inline void relax(void) { __builtin_ia32_pause(); }

typedef struct { uint32_t eax, ebx, ecx, edx; } cpuid_answer;

static inline cpuid_answer cpuid(uint32_t leaf) {
    cpuid_answer answer;
    __asm__ volatile("cpuid"
                     : "=a"(answer.eax), "=b"(answer.ebx), "=c"(answer.ecx), "=d"(answer.edx)
                     : "a"(leaf), "c"(0));
    return answer;
}

/* Device registers in memory: the compiler must neither drop nor repeat an access. */
static inline uint32_t read_register(uint64_t address) {
    return *(volatile uint32_t *)address;
}

static inline void write_register(uint64_t address, uint32_t value) {
    *(volatile uint32_t *)address = value;
}
