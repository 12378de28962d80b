// The calls of /dev/kvm (Linux, Documentation/virt/kvm/api.rst). No logic: one function a call.
// Each returns a value >= 0, or -errno. The structs are the kernel's own, from <linux/kvm.h>.
#ifndef FERRY_CLINUX_KVM_H
#define FERRY_CLINUX_KVM_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

// System calls, on the descriptor of /dev/kvm.
int ferry_kvm_api_version(int kvm);
int ferry_kvm_check_extension(int kvm_or_vm, int capability);
int ferry_kvm_create_vm(int kvm);
int ferry_kvm_vcpu_mmap_size(int kvm);
// `list` is a kvm_cpuid2 with room for the `nent` entries it names.
int ferry_kvm_get_supported_cpuid(int kvm, void *list);
// `list` is a kvm_msr_list with room for the `nmsrs` indices it names; E2BIG writes how many there are.
int ferry_kvm_get_msr_index_list(int kvm, void *list);

// VM calls.
int ferry_kvm_enable_cap(int vm, uint32_t capability, uint64_t argument);
int ferry_kvm_set_memory(int vm, uint32_t slot, uint32_t flags, uint64_t guest_address, uint64_t bytes, void *host);
int ferry_kvm_set_tss_address(int vm, uint64_t address);
int ferry_kvm_set_identity_map_address(int vm, uint64_t address);
int ferry_kvm_create_irqchip(int vm);
int ferry_kvm_create_pit2(int vm, uint32_t flags);
int ferry_kvm_create_vcpu(int vm, int id);
int ferry_kvm_irq_line(int vm, uint32_t irq, uint32_t level);
int ferry_kvm_get_irqchip(int vm, struct kvm_irqchip *chip);
int ferry_kvm_set_irqchip(int vm, const struct kvm_irqchip *chip);
int ferry_kvm_get_pit2(int vm, struct kvm_pit_state2 *pit);
int ferry_kvm_set_pit2(int vm, const struct kvm_pit_state2 *pit);
int ferry_kvm_get_clock(int vm, struct kvm_clock_data *clock);
int ferry_kvm_set_clock(int vm, const struct kvm_clock_data *clock);
int ferry_kvm_get_dirty_log(int vm, uint32_t slot, void *bitmap);
int ferry_kvm_clear_dirty_log(int vm, uint32_t slot, uint64_t first_page, uint32_t pages, void *bitmap);

// vCPU calls.
int ferry_kvm_run(int vcpu);
int ferry_kvm_set_cpuid2(int vcpu, const void *list);
int ferry_kvm_get_regs(int vcpu, struct kvm_regs *regs);
int ferry_kvm_set_regs(int vcpu, const struct kvm_regs *regs);
int ferry_kvm_get_sregs(int vcpu, struct kvm_sregs *sregs);
int ferry_kvm_set_sregs(int vcpu, const struct kvm_sregs *sregs);
int ferry_kvm_get_fpu(int vcpu, struct kvm_fpu *fpu);
int ferry_kvm_set_fpu(int vcpu, const struct kvm_fpu *fpu);
// The area is KVM_CAP_XSAVE2 bytes, or 4096 where that is not offered.
int ferry_kvm_get_xsave(int vcpu, void *area);
int ferry_kvm_get_xsave2(int vcpu, void *area);
int ferry_kvm_set_xsave(int vcpu, const void *area);
int ferry_kvm_get_xcrs(int vcpu, struct kvm_xcrs *xcrs);
int ferry_kvm_set_xcrs(int vcpu, const struct kvm_xcrs *xcrs);
// `msrs` is a kvm_msrs with `nmsrs` entries. Returns how many were done before the first that cannot be.
int ferry_kvm_get_msrs(int vcpu, void *msrs);
int ferry_kvm_set_msrs(int vcpu, const void *msrs);
int ferry_kvm_get_lapic(int vcpu, struct kvm_lapic_state *lapic);
int ferry_kvm_set_lapic(int vcpu, const struct kvm_lapic_state *lapic);
int ferry_kvm_get_vcpu_events(int vcpu, struct kvm_vcpu_events *events);
int ferry_kvm_set_vcpu_events(int vcpu, const struct kvm_vcpu_events *events);
int ferry_kvm_get_debugregs(int vcpu, struct kvm_debugregs *registers);
int ferry_kvm_set_debugregs(int vcpu, const struct kvm_debugregs *registers);
int ferry_kvm_get_mp_state(int vcpu, struct kvm_mp_state *state);
int ferry_kvm_set_mp_state(int vcpu, const struct kvm_mp_state *state);
int ferry_kvm_get_tsc_khz(int vcpu);
int ferry_kvm_set_tsc_khz(int vcpu, uint32_t khz);
int ferry_kvm_kvmclock_ctrl(int vcpu);
int ferry_kvm_translate(int vcpu, struct kvm_translation *translation);

#endif
