// C structs to bytes and back.
//
// Only for structs of <linux/kvm.h>. Some have unions or bit fields, which keep the compiler from seeing that
// they are plain bytes; so there is no `BitwiseCopyable` here.

func structBytes<Value>(of value: Value) -> [UInt8] {
    unsafe withUnsafeBytes(of: value) { unsafe Array($0) }
}

/// - Precondition: as many bytes as the struct has; `zero` is any value of it.
func structValue<Value>(of bytes: [UInt8], startingAs zero: Value) -> Value {
    precondition(bytes.count == MemoryLayout<Value>.size, "a state of another size")
    var value = zero
    unsafe withUnsafeMutableBytes(of: &value) { unsafe $0.copyBytes(from: bytes) }
    return value
}
