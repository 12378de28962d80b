// Every bound of the fault driver.

/// Bounds of injecting faults and judging what comes of them.
package enum Limits {
    /// From a migration's start to its point.
    static let reach = Duration.seconds(30)
    /// From the fault until the VM is somebody's again: past every silence limit, question and pause of the product.
    static let settle = Duration.seconds(90)
    /// How long what a migration leaves behind may take to go.
    static let cleanUp = Duration.seconds(30)
    /// How long a guest that runs again may stay slower than it was.
    static let fullSpeed = Duration.seconds(20)
    /// Looks at a migration that has ended without its point, so far apart as the run looks.
    static let looksAfterEnd = 25
    static let poll = Duration.milliseconds(20)
    /// Between a kill and the restart of an agent.
    static let restart = Duration.milliseconds(300)
}
