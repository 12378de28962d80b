// Every bound of this target.

enum Limits {
    static let entriesPerPage = 1000
}
