/// One line of a pulse guest's console.
///
/// A line that is not of the guest's making, or that is damaged, is `other`: it never traps and is
/// never half read.
package enum PulseLine: Equatable, Sendable {
    case ready(PulseReady)
    case filled(pages: Int, elapsed: Duration)
    case heartbeat(PulseHeartbeat)
    case verified(pages: Int, errors: Int, elapsed: Duration)
    /// A page that does not hold what it should; `offset` is that of the first wrong 8 bytes.
    case error(page: Int, version: Int, offset: Int)
    case echo(String)
    case unknownCommand(String)
    case unknownOption(String)
    case badOption(String)
    case panic(String)
    case poweroff
    case reboot
    case other(String)

    /// Reads a line, with or without its line end.
    package init(_ line: some StringProtocol) {
        let text = String(line.prefix { !$0.isNewline })
        self = PulseLine.parse(text) ?? .other(text)
    }

    private static func parse(_ text: String) -> PulseLine? {
        guard text.hasPrefix("pulse ") else { return nil }
        let body = text.dropFirst("pulse ".count)
        if body == "poweroff" { return .poweroff }
        if body == "reboot" { return .reboot }
        if let rest = body.removing(prefix: "echo ") { return .echo(rest) }
        if let rest = body.removing(prefix: "panic ") { return .panic(rest) }
        if let rest = body.removing(prefix: "unknown command ") { return .unknownCommand(rest) }
        if let rest = body.removing(prefix: "unknown option ") { return .unknownOption(rest) }
        if let rest = body.removing(prefix: "bad option ") { return .badOption(rest) }
        if body.hasPrefix("seq=") { return heartbeat(body) }
        return record(body)
    }

    /// A word, then its fields.
    private static func record(_ body: Substring) -> PulseLine? {
        let words = body.split(separator: " ", maxSplits: 1)
        guard words.count == 2 else { return nil }
        var fields = PulseFields(words[1])
        let line: PulseLine? =
            switch words[0] {
            case "ready": PulseReady(&fields).map(PulseLine.ready)
            case "filled": filled(&fields)
            case "verified": verified(&fields)
            case "error": wrongPage(&fields)
            default: nil
            }
        return fields.isAtEnd ? line : nil
    }

    private static func heartbeat(_ body: Substring) -> PulseLine? {
        var fields = PulseFields(body)
        guard let heartbeat = PulseHeartbeat(&fields), fields.isAtEnd else { return nil }
        return .heartbeat(heartbeat)
    }

    private static func filled(_ fields: inout PulseFields) -> PulseLine? {
        guard let pages = fields.number("pages"), let elapsed = fields.microseconds("us") else {
            return nil
        }
        return .filled(pages: pages, elapsed: elapsed)
    }

    private static func verified(_ fields: inout PulseFields) -> PulseLine? {
        guard let pages = fields.number("pages"), let errors = fields.number("errors"),
            let elapsed = fields.microseconds("us")
        else { return nil }
        return .verified(pages: pages, errors: errors, elapsed: elapsed)
    }

    private static func wrongPage(_ fields: inout PulseFields) -> PulseLine? {
        guard let page = fields.number("page"), let version = fields.number("version"),
            let offset = fields.number("offset")
        else { return nil }
        return .error(page: page, version: version, offset: offset)
    }
}

extension Substring {
    fileprivate func removing(prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
