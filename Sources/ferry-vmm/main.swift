print("ferry-vmm")
