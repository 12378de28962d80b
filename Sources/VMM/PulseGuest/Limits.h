/* Numbers that the assembly and Swift must agree on. */

#define PULSE_CPUS_MAX              32
#define PULSE_STACK_BYTES           16384

/* A page below 1 MiB where the other CPUs start; its words are offsets from the start. */
#define PULSE_TRAMPOLINE            0x8000
#define PULSE_TRAMPOLINE_CPU        4
#define PULSE_TRAMPOLINE_ARGUMENT   8
