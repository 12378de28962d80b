// Bounds of what is read and made: far more than any trace has, far less than sums can hold.

package enum Limits {
    package static let fileBytesMax = 1 << 30
    /// Of one file; and VMs of one trace.
    package static let rowsMax = 1 << 24
    static let columnsMax = 4096
    static let fieldBytesMax = 1 << 16
    /// Files of a folder that holds one for each VM.
    package static let filesMax = 1 << 16
    /// Samples of utilisation of all VMs.
    package static let samplesMax = 1 << 28
    /// Samples of a generated workload: 32 MiB. Beyond, VMs share rows.
    static let syntheticSamplesMax = 1 << 23
    static let hostsMax = 1 << 20
    static let groupsMax = 1 << 20
    /// Groups of one VM.
    static let groupsPerVMMax = 64
    /// Of one VM or host.
    static let labelsMax = 64

    /// 31 years.
    package static let secondsMax = 1e9
    package static let coresMax = 1 << 20
    package static let memoryBytesMax = 1 << 50
    static let overcommitMax = 1000.0
    /// Bytes of a value that a message repeats.
    static let foundBytesMax = 40
    /// Bytes that tell a format.
    static let detectionBytesMax = 1 << 16
}
