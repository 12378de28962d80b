// Log lines on standard error: for people, or one JSON text a line for programs.

import FoundationEssentials
import Glibc
package import Logging

package enum LogFormat: String, Sendable, CaseIterable {
    case text, json
}

/// Writes each line with one system call, so that lines of several threads never mix.
package struct LogOutput: LogHandler {
    private let format: LogFormat
    private let label: String
    package var metadata: Logger.Metadata = [:]
    package var logLevel = Logger.Level.info

    package init(label: String, format: LogFormat, level: Logger.Level = .info) {
        self.label = label
        self.format = format
        logLevel = level
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let facts = all.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
        let time = Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        let line =
            switch format {
            case .text:
                formatTextLine(
                    time: time, severity: event.level, message: "\(event.message)", facts: facts)
            case .json:
                formatJSONLine(
                    time: time, severity: event.level, message: "\(event.message)", facts: facts)
            }
        // Nobody to tell when standard error cannot be written.
        var bytes = Array(line.utf8)
        bytes.append(UInt8(ascii: "\n"))
        _ = unsafe bytes.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
    }

    private func formatTextLine(
        time: String, severity level: Logger.Level, message: String, facts: [(String, String)]
    ) -> String {
        let facts = facts.map { " \($0)=\(quoteIfNeeded(text: $1))" }.joined()
        return "\(time) \(level.rawValue) \(label): \(singleLineText(from: message))\(facts)"
    }

    private func formatJSONLine(
        time: String, severity level: Logger.Level, message: String, facts: [(String, String)]
    ) -> String {
        var object = ["time": time, "level": level.rawValue, "label": label, "message": message]
        for (key, value) in facts { object["fact.\(key)"] = value }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings always encode.
        return (try? encoder.encode(object)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    private func quoteIfNeeded(text: String) -> String {
        text.contains(where: { $0 == " " || $0 == "\"" || $0.isNewline })
            ? "\"\(singleLineText(from: text).replacing("\"", with: "\\\""))\"" : text
    }

    private func singleLineText(from text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }
}
