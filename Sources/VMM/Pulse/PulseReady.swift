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
        guard let cpus = fields.readNumber(forKey: "cpus"),
            let memoryMiB = fields.readNumber(forKey: "memory_mib"),
            let fillPages = fields.readNumber(forKey: "fill_pages"),
            let workingSetPages = fields.readNumber(forKey: "ws_pages"),
            let rate = fields.readRate(forKey: "rate"),
            let content = fields.readText(forKey: "content").flatMap({
                PulseOptions.Content(rawValue: String($0))
            }),
            let period = fields.readDuration(forKey: "period_us"),
            let tscKilohertz = fields.readNumber(forKey: "tsc_khz")
        else { return nil }
        self.init(
            cpus: cpus, memoryMiB: memoryMiB, fillPages: fillPages,
            workingSetPages: workingSetPages,
            rate: rate, content: content, period: period, tscKilohertz: tscKilohertz)
    }
}
