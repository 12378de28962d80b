// Prometheus's text format, version 0.0.4.

import Model

/// The text of an answer to `/metrics`.
struct Exposition {
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    typealias Labels = [(name: String, value: String)]
    private(set) var text = ""

    mutating func counter(_ name: String, _ help: String, _ samples: [(Labels, UInt64)]) {
        head(name, help, "counter")
        for (labels, value) in samples { line(name, labels, "\(value)") }
    }

    mutating func gauge(_ name: String, _ help: String, _ samples: [(Labels, Double)]) {
        head(name, help, "gauge")
        for (labels, value) in samples { line(name, labels, Self.number(value)) }
    }

    mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
        head(name, help, "histogram")
        for (bound, count) in histogram.cumulative {
            line("\(name)_bucket", [("le", Self.number(bound))], "\(count)")
        }
        line("\(name)_sum", [], Self.number(histogram.sum))
        line("\(name)_count", [], "\(histogram.count)")
    }

    private mutating func head(_ name: String, _ help: String, _ type: String) {
        let help = help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private mutating func line(_ name: String, _ labels: Labels, _ value: String) {
        let pairs = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
        text += "\(name)\(pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}") \(value)\n"
    }

    static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            .replacing("\n", with: "\\n")
    }

    private static func number(_ value: Double) -> String {
        value == .infinity ? "+Inf" : value.plainText
    }
}
