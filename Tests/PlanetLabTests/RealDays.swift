// The real traces, where a machine has them: they are not part of the repository.

import Glibc
import Host
import PlanetLab
import Testing
import Traces

enum RealDays {
    /// FERRY_TRACES, or "../shared/traces" beside the package.
    static let folder: String = {
        if let path = unsafe getenv("FERRY_TRACES") { return unsafe String(cString: path) }
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/\(root)/../shared/traces"
    }()

    static let planetLab = folder + "/planetlab"
    static let golden = planetLab + "/golden.csv"
    static let areHere = File.isPresent(at: golden)
    static let whyNot: Comment = "needs PlanetLab's traces: set FERRY_TRACES to their folder"

    /// Each day is read once.
    private static let days = ["20110303", "20110306", "20110309"].map { name in
        (name, Result { try PlanetLabFolder.readTraceDay(inFolder: planetLab + "/" + name) })
    }

    static func day(_ name: String) throws -> PlanetLabDay {
        try #require(days.first { $0.0 == name }).1.get()
    }
}

/// A row of the published table.
struct GoldenRow: Sendable, CustomTestStringConvertible {
    let day: String
    let policy: String
    let vms: Int
    let figures: [String]

    var testDescription: String { "\(day) \(policy)" }

    static let all: [GoldenRow] = {
        guard let bytes = try? File.readContents(at: RealDays.golden, limit: 1 << 16) else {
            return []
        }
        return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            .dropFirst().map { line in
                let fields = line.split(separator: ",").map(String.init)
                return GoldenRow(
                    day: fields[0], policy: fields[1], vms: Int(fields[2]) ?? -1,
                    figures: Array(fields[3...]))
            }
    }()
}
