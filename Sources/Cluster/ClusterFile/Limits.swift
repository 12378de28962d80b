/// Bounds of the cluster file.
package enum Limits {
    package static let fileBytesMax = 1 << 20
    package static let hostsMax = 1024
    /// What a migration may be told to wait.
    package static let patience = Duration.seconds(1)...Duration.seconds(3600)
    package static let memoryReserveDefaultMiB: UInt64 = 256
    /// 1 PiB: more is a slip of the pen.
    package static let memoryReserveMaxMiB: UInt64 = 1 << 30
    package static let controllersMax = 9
    package static let endpointsMax = 9
    package static let labelsMax = 64
    package static let wordBytesMax = 100
    package static let controlTime = Duration.milliseconds(500)...Duration.seconds(3600)
}
