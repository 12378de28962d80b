import Testing

import Pulse

@Suite struct PulseOptionsTests {
    @Test(arguments: [
        (PulseOptions(), "rate=2000 content=text period=100000us seed=1 check=2000"),
        (
            PulseOptions(
                fillBytes: 768 << 20, workingSetBytes: 64 << 20, rate: .flatOut, content: .mixed,
                period: .milliseconds(10), seed: 7, checksPerSecond: 0),
            "fill=805306368 ws=67108864 rate=max content=mixed period=10000us seed=7 check=0"
        ),
        (
            PulseOptions(rate: .pagesPerSecond(0), content: .zero, period: .seconds(60)),
            "rate=0 content=zero period=60000000us seed=1 check=2000"
        ),
        (
            PulseOptions(content: .random, period: .microseconds(1500)),
            "rate=2000 content=random period=1500us seed=1 check=2000"
        ),
    ])
    func `options become a command line`(options: PulseOptions, expected: String) throws {
        #expect(try options.commandLine() == expected)
    }

    @Test(arguments: [
        (PulseOptions(fillBytes: 4095), PulseOptionsError.fillOutOfRange(bytes: 4095)),
        (PulseOptions(fillBytes: 1 << 41), .fillOutOfRange(bytes: 1 << 41)),
        (PulseOptions(workingSetBytes: -1), .workingSetOutOfRange(bytes: -1)),
        (
            PulseOptions(fillBytes: 4096, workingSetBytes: 8192),
            .workingSetAboveFill(workingSetBytes: 8192, fillBytes: 4096)
        ),
        (PulseOptions(rate: .pagesPerSecond(-1)), .rateOutOfRange(pagesPerSecond: -1)),
        (
            PulseOptions(rate: .pagesPerSecond(10_000_001)),
            .rateOutOfRange(pagesPerSecond: 10_000_001)
        ),
        (PulseOptions(period: .microseconds(999)), .periodOutOfRange(.microseconds(999))),
        (PulseOptions(period: .seconds(61)), .periodOutOfRange(.seconds(61))),
        (PulseOptions(seed: -1), .seedOutOfRange(-1)),
        (PulseOptions(checksPerSecond: -1), .checksOutOfRange(pagesPerSecond: -1)),
    ])
    func `what the guest would refuse is refused here`(
        options: PulseOptions, error: PulseOptionsError
    ) {
        #expect(throws: error) { try options.commandLine() }
    }
}
