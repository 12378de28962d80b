// Prometheus's text format, version 0.0.4.

import Model

/// The text of an answer to `/metrics`.
struct Exposition {
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    typealias Labels = [(name: String, value: String)]
    private(set) var text = ""

    mutating func addCounter(named name: String, help: String, samples: [(Labels, UInt64)]) {
        addHeader(name: name, help: help, type: "counter")
        for (labels, value) in samples {
            addSampleLine(named: name, labelPairs: labels, value: "\(value)")
        }
    }

    mutating func addGauge(named name: String, help: String, samples: [(Labels, Double)]) {
        addHeader(name: name, help: help, type: "gauge")
        for (labels, value) in samples {
            addSampleLine(named: name, labelPairs: labels, value: Self.numberText(for: value))
        }
    }

    mutating func addHistogram(named name: String, help: String, values histogram: Histogram) {
        addHeader(name: name, help: help, type: "histogram")
        for (bound, count) in histogram.cumulative {
            addSampleLine(
                named: "\(name)_bucket", labelPairs: [("le", Self.numberText(for: bound))],
                value: "\(count)")
        }
        addSampleLine(
            named: "\(name)_sum", labelPairs: [], value: Self.numberText(for: histogram.sum))
        addSampleLine(named: "\(name)_count", labelPairs: [], value: "\(histogram.count)")
    }

    private mutating func addHeader(name: String, help: String, type: String) {
        let help = help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private mutating func addSampleLine(
        named name: String, labelPairs labels: Labels, value: String
    ) {
        let pairs = labels.map { "\($0.name)=\"\(Self.escapedLabel(value: $0.value))\"" }
        text += "\(name)\(pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}") \(value)\n"
    }

    static func escapedLabel(value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            .replacing("\n", with: "\\n")
    }

    private static func numberText(for value: Double) -> String {
        value == .infinity ? "+Inf" : value.plainText
    }
}
