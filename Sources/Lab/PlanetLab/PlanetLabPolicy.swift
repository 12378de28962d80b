// The experiment's policies, by the names under which papers report them: "lr-mmt-1.2", "thr-mmt-0.8", "npa", "dvfs".

package struct PlanetLabPolicy: Hashable, Sendable {
    /// When a host counts as overloaded, so that VMs leave it (Beloglazov and Buyya 2012, section 5).
    enum Detection: Hashable, Sendable {
        /// CPU demand above a fixed share of capacity.
        case threshold(Double)
        /// Above 1 − s · interquartile range of the host's recent load.
        case interquartileRange(safety: Double)
        /// Above 1 − s · median absolute deviation of the host's recent load.
        case medianAbsoluteDeviation(safety: Double)
        /// A line through the host's last ten loads, continued to the end of a migration, times s, reaches 1.
        case localRegression(safety: Double)
    }

    enum Kind: Hashable, Sendable {
        /// No consolidation, and every host draws full power all day.
        case nonPowerAware
        /// No consolidation; hosts draw power by their load.
        case frequencyScaling
        /// VMs leave overloaded hosts, those first that migrate fastest (MMT); underloaded hosts are emptied.
        case consolidation(Detection)
    }

    package let name: String
    let kind: Kind

    /// Nil for a policy that does not consolidate.
    package var overloadTest: OverloadTest? {
        if case .consolidation(let detection) = kind {
            OverloadTest(detection: detection)
        } else {
            nil
        }
    }

    /// The families as they are written, for lists and messages.
    package static let patterns = [
        "npa", "dvfs", "thr-mmt-SHARE", "iqr-mmt-SAFETY", "mad-mmt-SAFETY", "lr-mmt-SAFETY",
        "lrr-mmt-SAFETY",
    ]

    /// The seven of the published tables.
    package static let published = [
        "npa", "dvfs", "thr-mmt-0.8", "iqr-mmt-1.5", "mad-mmt-2.5", "lr-mmt-1.2", "lrr-mmt-1.2",
    ]

    /// - Parameter name: with hyphens, or with underscores as CloudSim's tables have it; case does not matter.
    package init(name text: String) throws(PlanetLabError) {
        let name = String(text.lowercased().map { $0 == "_" ? "-" : $0 })
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        self.name = name
        switch (parts.count, parts[0]) {
        case (1, "npa"): kind = .nonPowerAware
        case (1, "dvfs"): kind = .frequencyScaling
        case (3, let family) where parts[1] == "mmt":
            kind = .consolidation(
                try Self.parseDetection(family: family, parameter: parts[2], text: text))
        default: throw .unknownPolicy(text)
        }
    }

    private static func parseDetection(
        family: Substring, parameter: Substring, text: String
    ) throws(PlanetLabError) -> Detection {
        func parseNumber(in range: ClosedRange<Double>) throws(PlanetLabError) -> Double {
            guard parameter.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
                let value = Double(parameter), range.contains(value)
            else { throw .badParameter(policy: text, from: range.lowerBound, to: range.upperBound) }
            return value
        }
        switch family {
        case "thr": return .threshold(try parseNumber(in: 0...1))
        case "iqr": return .interquartileRange(safety: try parseNumber(in: 0...Limits.safetyMax))
        case "mad":
            return .medianAbsoluteDeviation(safety: try parseNumber(in: 0...Limits.safetyMax))
        // The robust variant differs by weights that the released code never applies: see `OverloadTest`.
        case "lr", "lrr": return .localRegression(safety: try parseNumber(in: 0...Limits.safetyMax))
        default: throw .unknownPolicy(text)
        }
    }
}

/// Why an experiment cannot be run.
package enum PlanetLabError: Error, Hashable, Sendable {
    case unknownPolicy(String)
    case badParameter(policy: String, from: Double, to: Double)
    case unknownMode(String)
    case noVMs(day: String)
    case tooManyHosts(Int, limit: Int)
    /// At the start, with all that it asks for.
    case noRoom(vm: String, hosts: Int)
}

extension PlanetLabError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownPolicy(let text):
            "\"\(text)\" is no policy of the experiment; they are "
                + PlanetLabPolicy.patterns.joined(separator: ", ")
                + ", as in \"lr-mmt-1.2\" or \"thr-mmt-0.8\""
        case .badParameter(let policy, let from, let to):
            "the number at the end of \"\(policy)\" must be from \(from) to \(to), as in 1.2"
        case .unknownMode(let text):
            "\"\(text)\" is no mode; they are "
                + PlanetLabMode.allCases.map(\.rawValue).joined(separator: ", ") + ", both"
        case .noVMs(let day): "\(day) has no VMs"
        case .tooManyHosts(let hosts, let limit):
            "\(hosts) hosts are not from 1 to \(limit)"
        case .noRoom(let vm, let hosts):
            "VM \(vm) fits on none of \(hosts) hosts with all that it asks for; give more hosts"
        }
    }
}
