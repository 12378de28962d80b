#define _GNU_SOURCE
#include "CLinuxKVM.h"

#include <errno.h>
#include <sys/ioctl.h>

static int call(int fd, unsigned long request, const void *argument) {
    int result = ioctl(fd, request, argument);
    return result < 0 ? -errno : result;
}

#define VALUE(value) ((const void *)(uintptr_t)(value))

int ferry_kvm_api_version(int kvm) { return call(kvm, KVM_GET_API_VERSION, 0); }
int ferry_kvm_check_extension(int fd, int capability) { return call(fd, KVM_CHECK_EXTENSION, VALUE(capability)); }
int ferry_kvm_create_vm(int kvm) { return call(kvm, KVM_CREATE_VM, 0); }
int ferry_kvm_vcpu_mmap_size(int kvm) { return call(kvm, KVM_GET_VCPU_MMAP_SIZE, 0); }
int ferry_kvm_get_supported_cpuid(int kvm, void *list) { return call(kvm, KVM_GET_SUPPORTED_CPUID, list); }
int ferry_kvm_get_msr_index_list(int kvm, void *list) { return call(kvm, KVM_GET_MSR_INDEX_LIST, list); }

int ferry_kvm_enable_cap(int vm, uint32_t capability, uint64_t argument) {
    struct kvm_enable_cap enable = {.cap = capability, .args = {argument}};
    return call(vm, KVM_ENABLE_CAP, &enable);
}

int ferry_kvm_set_memory(int vm, uint32_t slot, uint32_t flags, uint64_t guest_address, uint64_t bytes, void *host) {
    struct kvm_userspace_memory_region region = {
        .slot = slot, .flags = flags, .guest_phys_addr = guest_address,
        .memory_size = bytes, .userspace_addr = (uintptr_t)host,
    };
    return call(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

int ferry_kvm_set_tss_address(int vm, uint64_t address) { return call(vm, KVM_SET_TSS_ADDR, VALUE(address)); }
int ferry_kvm_set_identity_map_address(int vm, uint64_t address) {
    return call(vm, KVM_SET_IDENTITY_MAP_ADDR, &address);
}
int ferry_kvm_create_irqchip(int vm) { return call(vm, KVM_CREATE_IRQCHIP, 0); }
int ferry_kvm_create_pit2(int vm, uint32_t flags) {
    struct kvm_pit_config config = {.flags = flags};
    return call(vm, KVM_CREATE_PIT2, &config);
}
int ferry_kvm_create_vcpu(int vm, int id) { return call(vm, KVM_CREATE_VCPU, VALUE(id)); }
int ferry_kvm_irq_line(int vm, uint32_t irq, uint32_t level) {
    struct kvm_irq_level line = {.irq = irq, .level = level};
    return call(vm, KVM_IRQ_LINE, &line);
}
int ferry_kvm_get_irqchip(int vm, struct kvm_irqchip *chip) { return call(vm, KVM_GET_IRQCHIP, chip); }
int ferry_kvm_set_irqchip(int vm, const struct kvm_irqchip *chip) { return call(vm, KVM_SET_IRQCHIP, chip); }
int ferry_kvm_get_pit2(int vm, struct kvm_pit_state2 *pit) { return call(vm, KVM_GET_PIT2, pit); }
int ferry_kvm_set_pit2(int vm, const struct kvm_pit_state2 *pit) { return call(vm, KVM_SET_PIT2, pit); }
int ferry_kvm_get_clock(int vm, struct kvm_clock_data *clock) { return call(vm, KVM_GET_CLOCK, clock); }
int ferry_kvm_set_clock(int vm, const struct kvm_clock_data *clock) { return call(vm, KVM_SET_CLOCK, clock); }

int ferry_kvm_get_dirty_log(int vm, uint32_t slot, void *bitmap) {
    struct kvm_dirty_log log = {.slot = slot, .dirty_bitmap = bitmap};
    return call(vm, KVM_GET_DIRTY_LOG, &log);
}
int ferry_kvm_clear_dirty_log(int vm, uint32_t slot, uint64_t first_page, uint32_t pages, void *bitmap) {
    struct kvm_clear_dirty_log log = {
        .slot = slot, .num_pages = pages, .first_page = first_page, .dirty_bitmap = bitmap,
    };
    return call(vm, KVM_CLEAR_DIRTY_LOG, &log);
}

int ferry_kvm_run(int vcpu) { return call(vcpu, KVM_RUN, 0); }
int ferry_kvm_set_cpuid2(int vcpu, const void *list) { return call(vcpu, KVM_SET_CPUID2, list); }
int ferry_kvm_get_regs(int vcpu, struct kvm_regs *regs) { return call(vcpu, KVM_GET_REGS, regs); }
int ferry_kvm_set_regs(int vcpu, const struct kvm_regs *regs) { return call(vcpu, KVM_SET_REGS, regs); }
int ferry_kvm_get_sregs(int vcpu, struct kvm_sregs *sregs) { return call(vcpu, KVM_GET_SREGS, sregs); }
int ferry_kvm_set_sregs(int vcpu, const struct kvm_sregs *sregs) { return call(vcpu, KVM_SET_SREGS, sregs); }
int ferry_kvm_get_fpu(int vcpu, struct kvm_fpu *fpu) { return call(vcpu, KVM_GET_FPU, fpu); }
int ferry_kvm_set_fpu(int vcpu, const struct kvm_fpu *fpu) { return call(vcpu, KVM_SET_FPU, fpu); }
int ferry_kvm_get_xsave(int vcpu, void *area) { return call(vcpu, KVM_GET_XSAVE, area); }
int ferry_kvm_get_xsave2(int vcpu, void *area) { return call(vcpu, KVM_GET_XSAVE2, area); }
int ferry_kvm_set_xsave(int vcpu, const void *area) { return call(vcpu, KVM_SET_XSAVE, area); }
int ferry_kvm_get_xcrs(int vcpu, struct kvm_xcrs *xcrs) { return call(vcpu, KVM_GET_XCRS, xcrs); }
int ferry_kvm_set_xcrs(int vcpu, const struct kvm_xcrs *xcrs) { return call(vcpu, KVM_SET_XCRS, xcrs); }
int ferry_kvm_get_msrs(int vcpu, void *msrs) { return call(vcpu, KVM_GET_MSRS, msrs); }
int ferry_kvm_set_msrs(int vcpu, const void *msrs) { return call(vcpu, KVM_SET_MSRS, msrs); }
int ferry_kvm_get_lapic(int vcpu, struct kvm_lapic_state *lapic) { return call(vcpu, KVM_GET_LAPIC, lapic); }
int ferry_kvm_set_lapic(int vcpu, const struct kvm_lapic_state *lapic) { return call(vcpu, KVM_SET_LAPIC, lapic); }
int ferry_kvm_get_vcpu_events(int vcpu, struct kvm_vcpu_events *events) {
    return call(vcpu, KVM_GET_VCPU_EVENTS, events);
}
int ferry_kvm_set_vcpu_events(int vcpu, const struct kvm_vcpu_events *events) {
    return call(vcpu, KVM_SET_VCPU_EVENTS, events);
}
int ferry_kvm_get_debugregs(int vcpu, struct kvm_debugregs *registers) {
    return call(vcpu, KVM_GET_DEBUGREGS, registers);
}
int ferry_kvm_set_debugregs(int vcpu, const struct kvm_debugregs *registers) {
    return call(vcpu, KVM_SET_DEBUGREGS, registers);
}
int ferry_kvm_get_mp_state(int vcpu, struct kvm_mp_state *state) { return call(vcpu, KVM_GET_MP_STATE, state); }
int ferry_kvm_set_mp_state(int vcpu, const struct kvm_mp_state *state) { return call(vcpu, KVM_SET_MP_STATE, state); }
int ferry_kvm_get_tsc_khz(int vcpu) { return call(vcpu, KVM_GET_TSC_KHZ, 0); }
int ferry_kvm_set_tsc_khz(int vcpu, uint32_t khz) { return call(vcpu, KVM_SET_TSC_KHZ, VALUE(khz)); }
int ferry_kvm_kvmclock_ctrl(int vcpu) { return call(vcpu, KVM_KVMCLOCK_CTRL, 0); }
int ferry_kvm_translate(int vcpu, struct kvm_translation *translation) {
    return call(vcpu, KVM_TRANSLATE, translation);
}
