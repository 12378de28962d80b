// Every bound of this target.

enum Limits {
    /// x <= 0.1: the last term is below 1e-22 of the first.
    static let arcTangentTerms = 12
    /// Policies, seeds and variants of one sweep, multiplied.
    static let cellsMax = 100_000
    static let shardsMax = 10_000
    static let workersMax = 1024
    /// A shard file: courses and heat maps of a few dozen policies, figures of all cells.
    static let shardBytesMax = 1 << 30
}
