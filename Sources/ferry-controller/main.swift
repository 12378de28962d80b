print("ferry-controller")
