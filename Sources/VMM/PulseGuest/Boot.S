/* Everything that Swift cannot say: the PVH entry, the switch to 64-bit ring 3, the processor's
   tables, and the few services that need ring 0.

   The guest works in ring 3. A KVM without hardware help emulates ring 0 an instruction at a
   time and knows neither `int n` nor `syscall` there, so ring 3 asks for a service by an
   exception: one `ud2` at a known address (`ring0_gate`). Any other #UD, such as a Swift trap,
   is a fault and ends in `pulse_panic`.

   Tables are static data. Their split address fields are differences of labels in one section,
   which holds because the linker script puts the section at IMAGE_BASE and asserts that it is
   smaller than 64 KiB. */

#include "Limits.h"

#define IMAGE_BASE      0x100000
#define RING0_STACK     512

#define CODE64          0x08
#define DATA            0x10
#define CODE32          0x18
#define USER_DATA       0x2b
#define USER_CODE       0x33
#define FIRST_TSS       0x40

#define COM1_DATA       0x3f8
#define COM1_STATUS     0x3fd
#define COM1_FIFO       16

    .section .note.Xen, "a", @note
    .balign 4
    .long   4, 8, 18                /* name size, value size, XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz  "Xen"
    .quad   pulse_start

    .section .boot, "awx", @progbits
image_base:

/* Page tables: the first GiB one to one, for ring 3. Swift adds the rest of memory to
   `pulse_page_directories`. */
    .balign 4096
page_map:
    .quad   pulse_page_directories + 7
    .fill   511, 8, 0
    .globl  pulse_page_directories
pulse_page_directories:
    .quad   first_gib + 7
    .fill   511, 8, 0
first_gib:
    .set    entry, 0
    .rept   512
    .quad   entry * 0x200000 + 0x87  /* present, writable, user, 2 MiB */
    .set    entry, entry + 1
    .endr

gdt:
    .quad   0
    .quad   0x00af9b000000ffff      /* CODE64 */
    .quad   0x00cf93000000ffff      /* DATA */
    .quad   0x00cf9b000000ffff      /* CODE32 */
    .quad   0
    .quad   0x00cff3000000ffff      /* USER_DATA */
    .quad   0x00affb000000ffff      /* USER_CODE */
    .quad   0
    .set    cpu, 0
    .rept   PULSE_CPUS_MAX          /* FIRST_TSS + 16 * cpu */
    .word   103, (tss - image_base) + 104 * cpu
    .byte   IMAGE_BASE >> 16, 0x89, 0, 0
    .quad   0
    .set    cpu, cpu + 1
    .endr
gdt_end:

tss:
    .set    cpu, 0
    .rept   PULSE_CPUS_MAX
    .long   0
    .quad   ring0_stacks + RING0_STACK * (cpu + 1)
    .fill   90, 1, 0
    .word   104                     /* no I/O bitmap */
    .set    cpu, cpu + 1
    .endr

    .macro  gate target
    .word   (\target) - image_base, CODE64
    .byte   0, 0x8e
    .word   IMAGE_BASE >> 16
    .quad   0
    .endm

    .balign 16
idt:
    .set    vector, 0
    .rept   32
    .if     vector == 6
    gate    undefined_opcode
    .else
    gate    exceptions + 16 * vector
    .endif
    .set    vector, vector + 1
    .endr
    .rept   16                      /* 32 to 47: the timer, spurious interrupts */
    gate    interrupt
    .endr
idt_end:

gdt_pointer:
    .word   gdt_end - gdt - 1
    .quad   gdt
idt_pointer:
    .word   idt_end - idt - 1
    .quad   idt
no_idt_pointer:
    .word   0
    .quad   0

/* The way up. PVH enters here: 32-bit protected mode, flat segments, no paging, ebx = start
   information. */
    .code32
    .globl  pulse_start
pulse_start:
    cld
    xorl    %edi, %edi              /* this is CPU 0 */
    movl    %ebx, %esi

enter_long_mode:                    /* edi = CPU, esi = its argument */
    movl    $0x620, %eax            /* PAE, OSFXSR, OSXMMEXCPT */
    movl    %eax, %cr4
    movl    $page_map, %eax
    movl    %eax, %cr3
    movl    $0xc0000080, %ecx       /* EFER.LME */
    rdmsr
    orl     $0x100, %eax
    wrmsr
    movl    $0x80000033, %eax       /* PG, NE, ET, MP, PE; caches on */
    movl    %eax, %cr0
    lgdt    gdt_pointer
    ljmp    $CODE64, $long_mode

    .code64
long_mode:
    movl    $DATA, %eax
    movl    %eax, %ss
    movl    $USER_DATA, %eax
    movl    %eax, %ds
    movl    %eax, %es
    lidt    idt_pointer
    movl    %edi, %eax
    shll    $4, %eax
    addl    $FIRST_TSS, %eax
    ltr     %ax
    leal    1(%rdi), %eax
    imull   $RING0_STACK, %eax, %ecx
    imull   $PULSE_STACK_BYTES, %eax, %edx
    leaq    ring0_stacks(%rcx), %rsp
    leaq    stacks - 8(%rdx), %rdx  /* as if a call had pushed a return address */
    pushq   $USER_DATA
    pushq   %rdx
    pushq   $2                      /* interrupts stay off in ring 3 */
    pushq   $USER_CODE
    pushq   $pulse_cpu
    iretq

/* Where the other CPUs start, in 16-bit mode: Swift copies this to PULSE_TRAMPOLINE and fills in
   its two words. */
    .code16
    .balign 16
    .globl  pulse_trampoline
pulse_trampoline:
    jmp     1f
    .balign 4
    .long   0                       /* PULSE_TRAMPOLINE_CPU */
    .long   0                       /* PULSE_TRAMPOLINE_ARGUMENT */
trampoline_gdt_pointer:
    .word   gdt_end - gdt - 1
    .long   gdt
1:  cli
    cld
    xorw    %ax, %ax
    movw    %ax, %ds
    lgdtl   PULSE_TRAMPOLINE + (trampoline_gdt_pointer - pulse_trampoline)
    movl    PULSE_TRAMPOLINE + PULSE_TRAMPOLINE_CPU, %edi
    movl    PULSE_TRAMPOLINE + PULSE_TRAMPOLINE_ARGUMENT, %esi
    movl    %cr0, %eax
    orl     $1, %eax
    movl    %eax, %cr0
    ljmpl   $CODE32, $trampoline_protected
    .globl  pulse_trampoline_end
pulse_trampoline_end:

    .code32
trampoline_protected:
    movl    $DATA, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    jmp     enter_long_mode

/* Ring 0. A service takes its number in rax, arguments in rdi and rsi, answers in rax, and may
   use every register that a function call may: so nothing is saved. */
    .code64
undefined_opcode:
    cmpq    $ring0_gate, (%rsp)
    jne     exceptions + 16 * 6
    addq    $2, (%rsp)
    jmp     *services(, %rax, 8)

services:                           /* in the order of `Ring0.Service` */
    .quad   read_port, write_port, write_port_16, read_msr, write_msr
    .quad   send, receive, idle, triple_fault

read_port:                          /* (port) -> byte */
    movl    %edi, %edx
    xorl    %eax, %eax
    inb     %dx, %al
    iretq

write_port:                         /* (port, byte) */
    movl    %edi, %edx
    movl    %esi, %eax
    outb    %al, %dx
    iretq

write_port_16:                      /* (port, word) */
    movl    %edi, %edx
    movl    %esi, %eax
    outw    %ax, %dx
    iretq

read_msr:                           /* (register) -> value */
    movl    %edi, %ecx
    rdmsr
    shlq    $32, %rdx
    orq     %rdx, %rax
    iretq

write_msr:                          /* (register, value) */
    movl    %edi, %ecx
    movq    %rsi, %rax
    movq    %rsi, %rdx
    shrq    $32, %rdx
    wrmsr
    iretq

send:                               /* (bytes, count) -> how many the port did not take yet */
    movq    %rsi, %r8
    movq    %rdi, %rsi
1:  movl    $COM1_STATUS, %edx
    inb     %dx, %al
    testb   $0x20, %al              /* the transmit FIFO is empty: it takes COM1_FIFO bytes */
    jz      2f
    movl    $COM1_FIFO, %ecx
    cmpq    %rcx, %r8
    cmovbq  %r8, %rcx
    subq    %rcx, %r8
    movl    $COM1_DATA, %edx
    rep outsb
    testq   %r8, %r8
    jnz     1b
2:  movq    %r8, %rax
    iretq

receive:                            /* () -> byte, or 256 for none */
    movl    $COM1_STATUS, %edx
    inb     %dx, %al
    testb   $1, %al
    movl    $256, %eax
    jz      1f
    xorl    %eax, %eax
    movl    $COM1_DATA, %edx
    inb     %dx, %al
1:  iretq

idle:                               /* returns after the next interrupt; a pending one counts */
    sti
    hlt
    iretq

interrupt:                          /* only ever arrives in `idle`; ring 3 acknowledges it */
    iretq

triple_fault:
    lidt    no_idt_pointer
    ud2

/* Faults: note what happened, then go on in ring 3 with a fresh stack. */
    .balign 16
exceptions:                         /* 16 bytes a vector */
    .set    vector, 0
    .rept   32
    .balign 16
    .if     (0x227d00 >> vector & 1) == 0
    pushq   $0                      /* this one comes without an error code */
    .endif
    pushq   $vector
    jmp     exception
    .set    vector, vector + 1
    .endr

exception:                          /* vector, error code, rip, cs, flags, rsp, ss */
    movq    (%rsp), %rdi
    movq    8(%rsp), %rsi
    movq    16(%rsp), %rdx
    movq    %cr2, %rcx
    addq    $16, %rsp
    movq    $pulse_panic, (%rsp)
    movq    $USER_CODE, 8(%rsp)
    movq    $2, 16(%rsp)
    movq    $panic_stack_end - 8, 24(%rsp)
    movq    $USER_DATA, 32(%rsp)
    iretq

    .text
    .globl  ring0
ring0:                              /* (number, first, second) -> answer */
    movq    %rdi, %rax
    movq    %rsi, %rdi
    movq    %rdx, %rsi
ring0_gate:
    ud2
    ret

/* The compiler calls these on its own; written in Swift they would call themselves. */
    .globl  memcpy
memcpy:
    movq    %rdi, %rax
    movq    %rdx, %rcx
    rep movsb
    ret

    .globl  memset
memset:
    movq    %rdi, %r8
    movl    %esi, %eax
    movq    %rdx, %rcx
    rep stosb
    movq    %r8, %rax
    ret

    .bss
    .balign 16
ring0_stacks:
    .fill   PULSE_CPUS_MAX * RING0_STACK, 1, 0
stacks:
    .fill   PULSE_CPUS_MAX * PULSE_STACK_BYTES, 1, 0
    .fill   4096, 1, 0
panic_stack_end:

    .section .note.GNU-stack, "", @progbits
