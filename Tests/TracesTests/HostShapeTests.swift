// Shapes and lists of hosts, as a command line has them.

import Model
import Placement
import Testing
import Traces

@Suite("Host lists")
struct HostShapeTests {
    private let shape = HostShape(cores: 32, memory: .gibibytes(256))

    @Test(arguments: [
        ("32c/256GiB", 32, 256 << 30), ("1c/512MiB", 1, 512 << 20),
        ("1048576c/1024TiB", 1 << 20, 1 << 50),
    ])
    func `A shape is cores and memory`(text: String, cores: Int, bytes: UInt64) throws {
        let shape = try HostShape(text: text)
        #expect(shape == HostShape(cores: cores, memory: ByteCount(bytes)))
        #expect(try HostShape(text: shape.description) == shape)
    }

    @Test(arguments: [
        "", "32", "32c", "32c/", "/256GiB", "c/256GiB", "32c/256GiB/1", "0c/1GiB", "-1c/1GiB",
        "32c/0GiB", "32c/1025TiB", "1048577c/1GiB", "99999999999999999999c/1GiB", "3.5c/1GiB",
        "32c/99999999999999999999GiB",
    ])
    func `What is no shape is said to be none`(text: String) {
        #expect(throws: HostListError.badShape(text)) { try HostShape(text: text) }
    }

    @Test func `A list has counts, and shapes where they are not the usual`() throws {
        let list = try HostList(text: "2,3x64c/512GiB", shape: shape)
        #expect(list.hosts.map(\.capacity.milliCPUs) == [32_000, 32_000, 64_000, 64_000, 64_000])
        #expect(list.hosts.map(\.name) == (0..<5).map { "host-\($0)" })
        #expect(try HostList(text: "1048576", shape: shape).hosts.count == 1 << 20)
    }

    @Test(arguments: [
        ("", HostListError.badCount("")), ("0", .badCount("0")), ("-3", .badCount("-3")),
        ("2,,3", .badCount("")), ("x", .badCount("x")), ("2x", .badShape("")),
        ("2x32c", .badShape("32c")), ("1048577", .tooManyHosts(max: 1 << 20)),
        ("1048576,1", .tooManyHosts(max: 1 << 20)),
        ("9223372036854775807,9223372036854775807", .tooManyHosts(max: 1 << 20)),
        ("9223372036854775808", .badCount("9223372036854775808")),
    ])
    func `What is no list is refused with the part that is wrong`(
        text: String, error: HostListError
    ) {
        #expect(throws: error) { try HostList(text: text, shape: shape) }
        #expect(!"\(error)".isEmpty)
    }
}
