// Prometheus's text format, version 0.0.4.

import Model

/// The text of an answer to `/metrics`.
struct Exposition {
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    typealias Labels = [(name: String, value: String)]
    private(set) var text = ""

    mutating func addCounter(_ name: String, help: String, samples: [(Labels, UInt64)]) {
        addHead(of: name, help: help, type: "counter")
        for (labels, value) in samples { addLine(name, labels: labels, value: "\(value)") }
    }

    mutating func addGauge(_ name: String, help: String, samples: [(Labels, Double)]) {
        addHead(of: name, help: help, type: "gauge")
        for (labels, value) in samples {
            addLine(name, labels: labels, value: Self.numberText(value))
        }
    }

    mutating func addHistogram(_ name: String, help: String, histogram: Histogram) {
        addHead(of: name, help: help, type: "histogram")
        for (bound, count) in histogram.cumulative {
            addLine("\(name)_bucket", labels: [("le", Self.numberText(bound))], value: "\(count)")
        }
        addLine("\(name)_sum", labels: [], value: Self.numberText(histogram.sum))
        addLine("\(name)_count", labels: [], value: "\(histogram.count)")
    }

    private mutating func addHead(of name: String, help: String, type: String) {
        let help = help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private mutating func addLine(_ name: String, labels: Labels, value: String) {
        let pairs = labels.map { "\($0.name)=\"\(Self.escapedLabel($0.value))\"" }
        text += "\(name)\(pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}") \(value)\n"
    }

    static func escapedLabel(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            .replacing("\n", with: "\\n")
    }

    private static func numberText(_ value: Double) -> String {
        value == .infinity ? "+Inf" : value.plainText
    }
}
