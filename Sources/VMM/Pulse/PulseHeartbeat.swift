/// A sign of life, with what the guest has done until then.
package struct PulseHeartbeat: Equatable, Sendable {
    /// From 1, one more each time: a gap is a lost line.
    package var sequence: Int
    /// Since the guest's start, by its own clock.
    package var time: Duration
    package var pagesWritten: Int
    package var pagesChecked: Int
    /// Wrong pages found so far; anything but 0 is a fault of whoever moved the guest.
    package var errors: Int

    package init(sequence: Int, time: Duration, pagesWritten: Int, pagesChecked: Int, errors: Int) {
        self.sequence = sequence
        self.time = time
        self.pagesWritten = pagesWritten
        self.pagesChecked = pagesChecked
        self.errors = errors
    }

    init?(_ fields: inout PulseFields) {
        guard let sequence = fields.readNumber(forKey: "seq"),
            let time = fields.readDuration(forKey: "t_us"),
            let written = fields.readNumber(forKey: "written"),
            let checked = fields.readNumber(forKey: "checked"),
            let errors = fields.readNumber(forKey: "errors")
        else { return nil }
        self.init(
            sequence: sequence, time: time, pagesWritten: written, pagesChecked: checked,
            errors: errors)
    }
}
