// Every bound of `ferry simulate`.

enum SimulationLimits {
    static let seedsMax = 10_000
    static let jobsMax = 1024
    static let shardFilesMax = 10_000
    static let vmsUsual = 1000
    static let overcommitMax = 100.0
    /// Host lists and overcommits, multiplied.
    static let variantsMax = 100
    /// Hosts named by one --drain or --hosts-fail.
    static let eventHostsMax = 100_000
}
