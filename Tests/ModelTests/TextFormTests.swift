import Model
import Testing

@Suite("Text forms of the system's words")
struct TextFormTests {
    @Test(
        "A byte count reads what people write",
        arguments: [
            ("1GiB", 1 << 30), ("1 GiB", 1 << 30), ("64m", 64 << 20), ("4096", 4096), ("0B", 0),
            ("3K", 3072), ("2TiB", 2 << 40),
        ] as [(String, UInt64)])
    func byteCountParses(text: String, bytes: UInt64) {
        #expect(ByteCount(text)?.bytes == bytes)
    }

    @Test(
        "A byte count refuses what is not one",
        arguments: ["", "GiB", "-1", "1.5GiB", "1XB", "99999999999999999999", "16777216TiB", "1 2"])
    func byteCountRefuses(text: String) {
        #expect(ByteCount(text) == nil)
    }

    @Test(
        "A byte count prints the largest exact unit and reads back",
        arguments: [(1 << 30, "1GiB"), (1536 << 20, "1536MiB"), (100, "100B"), (0, "0B")]
            as [(UInt64, String)])
    func byteCountPrints(bytes: UInt64, text: String) {
        #expect(ByteCount(bytes).description == text)
        #expect(ByteCount(text)?.bytes == bytes)
    }

    @Test(
        "A duration reads a whole number with a unit",
        arguments: [
            ("50ms", .milliseconds(50)), ("3s", .seconds(3)), ("250us", .microseconds(250)),
            ("2m", .seconds(120)),
        ] as [(String, Duration)])
    func durationParses(text: String, duration: Duration) {
        #expect(Duration(text: text) == duration)
    }

    @Test(
        "A duration refuses what is not one",
        arguments: ["", "5", "ms", "-5ms", "1.5s", "9999999999h"])
    func durationRefuses(text: String) {
        #expect(Duration(text: text) == nil)
    }

    @Test("A name is safe in paths, URIs and DNS", arguments: ["a", "web-1", "0", "x--y"])
    func nameAccepts(text: String) throws {
        #expect(try VMName(text).text == text)
    }

    @Test(
        "A name refuses everything else",
        arguments: [
            "", "-a", "a-", "A", "a.b", "a/b", "..", "ä", String(repeating: "a", count: 64),
        ])
    func nameRefuses(text: String) {
        #expect(throws: NameError.self) { try VMName(text) }
    }

    @Test("An identity is a URI and reads back")
    func identity() throws {
        let identity = Identity(
            cluster: try ClusterName("local"), role: .agent, name: try HostName("host-a"))
        #expect(identity.description == "ferry://local/agent/host-a")
        #expect(Identity("ferry://local/agent/host-a") == identity)
        #expect(identity.dnsName == "host-a.agent.local.ferry.internal")
    }

    @Test(
        "An identity refuses other URIs",
        arguments: [
            "https://local/agent/a", "ferry://local/agent", "ferry://local/agent/a/b",
            "ferry://local/root/a", "ferry:///agent/a", "ferry://local/agent/A", "",
        ])
    func identityRefuses(text: String) {
        #expect(Identity(text) == nil)
    }

    @Test("An identifier is 32 hexadecimal digits and reads back")
    func identifier() {
        let identifier = Identifier128(high: 1, low: .max)
        #expect(identifier.description == "0000000000000001ffffffffffffffff")
        #expect(Identifier128(identifier.description) == identifier)
        #expect(Identifier128("+000000000000001ffffffffffffffff") == nil)
        #expect(Identifier128("0") == nil)
    }
}
