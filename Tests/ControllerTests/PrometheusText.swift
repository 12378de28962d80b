// A strict reader of Prometheus's text format 0.0.4, for tests.

import Foundation

struct PrometheusText {
    struct Sample: Hashable {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    private(set) var types: [String: String] = [:]
    private(set) var samples: [Sample] = []

    init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw TestFailure("the last line has no end") }
        var helped: Set<String> = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if line.hasPrefix("# HELP ") {
                let name = String(line.dropFirst(7).prefix { $0 != " " })
                guard helped.insert(name).inserted else { throw TestFailure("HELP twice: \(name)") }
            } else if line.hasPrefix("# TYPE ") {
                let words = line.dropFirst(7).split(separator: " ").map(String.init)
                guard words.count == 2, ["counter", "gauge", "histogram"].contains(words[1]),
                    helped.contains(words[0]), types[words[0]] == nil
                else { throw TestFailure("\(line)") }
                types[words[0]] = words[1]
            } else {
                samples.append(try Self.sample(line))
            }
        }
        guard Set(samples.map { "\($0.name)\($0.labels)" }).count == samples.count else {
            throw TestFailure("a sample is there twice")
        }
        for sample in samples { _ = try family(of: sample) }
        for (name, type) in types where type == "histogram" { try checkHistogram(name) }
    }

    private static func sample(_ line: Substring) throws -> Sample {
        guard
            let match = line.wholeMatch(
                of: /([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([-+0-9.eEInfNa]+)/),
            let value = Double(match.3.replacingOccurrences(of: "+Inf", with: "inf"))
        else { throw TestFailure("no sample: \(line)") }
        var labels: [String: String] = [:]
        var rest = (match.2 ?? "")[...]
        while !rest.isEmpty {
            guard
                let label = rest.prefixMatch(
                    of: /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/)
            else { throw TestFailure("no labels: \(line)") }
            labels[String(label.1)] = String(label.2)
            rest = rest[label.range.upperBound...]
        }
        return Sample(name: String(match.1), labels: labels, value: value)
    }

    private func family(of sample: Sample) throws -> String {
        if types[sample.name] != nil { return sample.name }
        for suffix in ["_bucket", "_sum", "_count"] where sample.name.hasSuffix(suffix) {
            let name = String(sample.name.dropLast(suffix.count))
            if types[name] == "histogram" { return name }
        }
        throw TestFailure("\(sample.name) has no TYPE")
    }

    private func checkHistogram(_ name: String) throws {
        let buckets = samples.filter { $0.name == "\(name)_bucket" }
        let counts = buckets.map(\.value)
        let bounds = try buckets.map { bucket -> Double in
            let text = bucket.labels["le"]?.replacingOccurrences(of: "+Inf", with: "inf")
            guard let bound = text.flatMap(Double.init) else { throw TestFailure("no le: \(name)") }
            return bound
        }
        guard bounds == bounds.sorted(), bounds.last == .infinity, counts == counts.sorted(),
            try value("\(name)_count") == counts.last, try value("\(name)_sum") >= 0
        else { throw TestFailure("\(name) is no histogram") }
    }

    func value(_ name: String, _ labels: [String: String] = [:]) throws -> Double {
        guard let sample = samples.first(where: { $0.name == name && $0.labels == labels }) else {
            throw TestFailure("there is no \(name) \(labels)")
        }
        return sample.value
    }
}
