import Testing

import Pulse

@Suite struct PulseLineTests {
    private static let ready = """
        pulse ready cpus=2 memory_mib=1024 fill_pages=196608 ws_pages=16384 rate=2000 content=text \
        period_us=100000 tsc_khz=2600000
        """

    @Test(arguments: [
        (
            ready,
            PulseLine.ready(
                PulseReady(
                    cpus: 2, memoryMiB: 1024, fillPages: 196_608, workingSetPages: 16384,
                    rate: .pagesPerSecond(2000), content: .text, period: .milliseconds(100),
                    tscKilohertz: 2_600_000))
        ),
        (
            """
            pulse ready cpus=1 memory_mib=64 fill_pages=8 ws_pages=0 rate=max content=mixed \
            period_us=1000 tsc_khz=1
            """,
            .ready(
                PulseReady(
                    cpus: 1, memoryMiB: 64, fillPages: 8, workingSetPages: 0, rate: .flatOut,
                    content: .mixed,
                    period: .milliseconds(1), tscKilohertz: 1))
        ),
        (
            "pulse filled pages=196608 us=4200000",
            .filled(pages: 196_608, elapsed: .microseconds(4_200_000))
        ),
        (
            "pulse seq=17 t_us=1700123 written=34000 checked=34001 errors=2",
            .heartbeat(
                PulseHeartbeat(
                    sequence: 17, time: .microseconds(1_700_123), pagesWritten: 34000,
                    pagesChecked: 34001,
                    errors: 2))
        ),
        ("pulse error page=123 version=7 offset=16", .error(page: 123, version: 7, offset: 16)),
        (
            "pulse verified pages=196608 errors=0 us=900000",
            .verified(pages: 196_608, errors: 0, elapsed: .milliseconds(900))
        ),
        ("pulse echo hello  there", .echo("hello  there")),
        ("pulse echo ", .echo("")),
        ("pulse unknown command dance now", .unknownCommand("dance now")),
        ("pulse unknown option colour=red", .unknownOption("colour=red")),
        ("pulse bad option fill=9z", .badOption("fill=9z")),
        ("pulse panic vector=13 error=0x0", .panic("vector=13 error=0x0")),
        ("pulse poweroff", .poweroff),
        ("pulse reboot", .reboot),
    ])
    func `each line that the guest prints is read`(text: String, expected: PulseLine) {
        #expect(PulseLine(text) == expected)
        #expect(PulseLine(text + "\r\n") == expected)
    }

    @Test(arguments: [
        "", "pulse", "pulse ", "pulse ready", "SeaBIOS (version 1.16)", "Pulse poweroff",
        "pulse poweroff now",
        "pulse seq=1", "pulse seq=1 t_us=2 written=3 checked=4",
        "pulse seq=1 t_us=2 written=3 checked=4 errors=",
        "pulse seq=-1 t_us=2 written=3 checked=4 errors=5",
        "pulse seq=1 t_us=2 written=3 checked=4 errors=5 more=6",
        "pulse seq=99999999999999999999 t_us=2 written=3 checked=4 errors=5",
        "pulse seq=1 written=3 t_us=2 checked=4 errors=5", "pulse filled pages=٣ us=1",
        "pulse filled us=1 pages=2",
        "pulse verified pages=1 errors=max us=1",
    ])
    func `anything else is kept as it is`(text: String) {
        #expect(PulseLine(text) == .other(text))
    }

    @Test func `a ready line that is cut short anywhere is not taken for a whole one`() {
        for length in 0..<Self.ready.count - "2600000".count {
            let cut = String(Self.ready.prefix(length))
            #expect(PulseLine(cut) == .other(cut))
        }
    }
}
