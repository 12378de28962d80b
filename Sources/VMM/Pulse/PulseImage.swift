internal import Foundation

/// The guest itself, an ELF file that any PVH loader boots.
package enum PulseImage {
    /// Where the file lies; nil if the program was installed without its resources.
    package static var path: String? {
        Bundle.module.path(forResource: "pulse", ofType: "elf")
    }
}
