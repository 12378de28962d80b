import Foundation
import Model
import Testing

@Suite("The JSON of a VM's spec")
struct VMSpecTests {
    private struct Message: Decodable {
        enum CodingKeys: CodingKey { case spec }
        let spec: VMSpec

        init(from decoder: any Decoder) throws {
            spec = try VMSpec(nestedIn: decoder, forKey: CodingKeys.spec)
        }
    }

    private func read(_ text: String) throws -> VMSpec {
        try JSONDecoder().decode(Message.self, from: Data(text.utf8)).spec
    }

    private func web(_ change: (inout VMSpec) -> Void = { _ in }) throws -> VMSpec {
        var spec = VMSpec(name: try VMName("web"), memory: .mebibytes(64))
        change(&spec)
        return spec
    }

    @Test("Keys are explicit, with their units")
    func keys() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let spec = try web {
            $0.vcpus = 2
            $0.commandLine = "quiet"
            $0.kernel = .files(kernel: "/k", initrd: "/i")
        }
        let text = String(decoding: try encoder.encode(spec), as: UTF8.self)
        #expect(
            text
                == #"{"commandLine":"quiet","downtimeLimitMs":50,"hugePages":false,"isLeased":false,"#
                + #""kernel":{"initrd":"/i","path":"/k","source":"files"},"memoryBytes":67108864,"#
                + #""name":"web","vcpus":2}"#)
    }

    @Test("Every spec comes back as it went")
    func roundTrips() throws {
        for kernel in [
            KernelSource.shipped, .unknown, .files(kernel: "/k", initrd: nil),
            .files(kernel: "/k", initrd: "/i"),
        ] {
            let spec = try web {
                $0.hugePages = true
                $0.downtimeLimit = DowntimeLimit(.nanoseconds(1_234_567))
                $0.kernel = kernel
                $0.isLeased = true
            }
            #expect(
                try JSONDecoder().decode(VMSpec.self, from: JSONEncoder().encode(spec)) == spec)
        }
    }

    @Test("Keys that are absent or null have the defaults")
    func defaults() throws {
        #expect(try read(#"{"spec":{"name":"web","memoryBytes":67108864}}"#) == web())
        let nulls =
            #"{"spec":{"name":"web","memoryBytes":67108864,"vcpus":null,"hugePages":null,"downtimeLimitMs":null,"commandLine":null,"kernel":null,"isLeased":null}}"#
        #expect(try read(nulls) == web())
    }

    @Test(
        "A spec whose fields stand flat is read as the version before wrote it",
        arguments: [
            (#""vcpus":2,"kernelPath":"/k""#, KernelSource.files(kernel: "/k", initrd: nil)),
            (
                #""vcpus":2,"kernelPath":"/k","initrdPath":"/i""#,
                .files(kernel: "/k", initrd: "/i")
            ),
            (#""vcpus":2,"hasShippedKernel":true"#, .shipped),
            (#""vcpus":2,"hasShippedKernel":false"#, .unknown),
            (#""vcpus":2,"kernel":{"shipped":{}}"#, .shipped),
            (#""vcpus":2,"kernel":{"unknown":{}}"#, .unknown),
            (
                #""vcpus":2,"kernel":{"files":{"kernel":"/k","initrd":"/i"}}"#,
                .files(kernel: "/k", initrd: "/i")
            ),
            (
                #""vcpus":2,"kernel":{"files":{"kernel":"/k"}}"#,
                .files(kernel: "/k", initrd: nil)
            ),
            (#""vcpus":2,"kernel":null"#, .shipped),
        ])
    func flat(fields: String, kernel: KernelSource) throws {
        let spec = try read(#"{"name":"web","memoryBytes":67108864,\#(fields)}"#)
        #expect(
            try spec
                == web {
                    $0.vcpus = 2
                    $0.kernel = kernel
                })
    }

    @Test("A downtime limit is milliseconds, and nanoseconds in a vm.json of the version before")
    func downtimeLimits() throws {
        func limit(_ field: String) throws -> Duration {
            try read(#"{"name":"web","memoryBytes":67108864,\#(field)}"#).downtimeLimit.duration
        }
        #expect(try limit(#""downtimeLimitMs":12.5"#) == .microseconds(12_500))
        #expect(try limit(#""downtimeLimitNs":20000000"#) == .milliseconds(20))
        for number in ["0", "-1", "60000.5", "1e300", "-1e300"] {
            let spec = try read(
                #"{"name":"web","memoryBytes":67108864,"downtimeLimitMs":\#(number)}"#)
            #expect(spec.problem?.hasPrefix("the downtime limit") == true)
        }
    }

    @Test(
        "Paths that cannot be a kernel's are refused",
        arguments: [
            #"{"path":"relative"}"#, #"{"initrd":"/i"}"#, #"{"path":"/k","initrd":"i"}"#,
        ])
    func paths(_ kernel: String) throws {
        let spec = try read(
            #"{"spec":{"name":"web","memoryBytes":67108864,"kernel":\#(kernel)}}"#)
        #expect(spec.problem != nil)
    }

    @Test("A kernel of one source has no path of another")
    func contradiction() {
        #expect(throws: DecodingError.self) {
            try read(
                #"{"spec":{"name":"a","memoryBytes":1,"kernel":{"source":"shipped","path":"/k"}}}"#)
        }
    }
}
