/// The guest's first line: what it found and what it will do.
package struct PulseReady: Equatable, Sendable {
    package var cpus: Int
    package var memoryMiB: Int
    package var fillPages: Int
    package var workingSetPages: Int
    package var rate: PulseOptions.Rate
    package var content: PulseOptions.Content
    package var period: Duration
    package var tscKilohertz: Int

    package init(
        cpus: Int, memoryMiB: Int, fillPages: Int, workingSetPages: Int, rate: PulseOptions.Rate,
        content: PulseOptions.Content, period: Duration, tscKilohertz: Int
    ) {
        self.cpus = cpus
        self.memoryMiB = memoryMiB
        self.fillPages = fillPages
        self.workingSetPages = workingSetPages
        self.rate = rate
        self.content = content
        self.period = period
        self.tscKilohertz = tscKilohertz
    }

    init?(_ fields: inout PulseFields) {
        guard let cpus = fields.number("cpus"), let memoryMiB = fields.number("memory_mib"),
            let fillPages = fields.number("fill_pages"),
            let workingSetPages = fields.number("ws_pages"),
            let rate = fields.rate("rate"),
            let content = fields.text("content").flatMap({
                PulseOptions.Content(rawValue: String($0))
            }),
            let period = fields.microseconds("period_us"),
            let tscKilohertz = fields.number("tsc_khz")
        else { return nil }
        self.init(
            cpus: cpus, memoryMiB: memoryMiB, fillPages: fillPages,
            workingSetPages: workingSetPages,
            rate: rate, content: content, period: period, tscKilohertz: tscKilohertz)
    }
}
