// Every bound of the experiment's loops and tables.

enum Limits {
    static let hostsMax = 1 << 16
    /// Of the parameter at the end of a policy's name; papers use 0.5 to 3.
    static let safetyMax = 1000.0
}
