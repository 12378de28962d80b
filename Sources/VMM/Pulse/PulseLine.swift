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
        self = PulseLine.parseLine(from: text) ?? .other(text)
    }

    private static func parseLine(from text: String) -> PulseLine? {
        guard text.hasPrefix("pulse ") else { return nil }
        let body = text.dropFirst("pulse ".count)
        if body == "poweroff" { return .poweroff }
        if body == "reboot" { return .reboot }
        if let rest = body.remainder(afterPrefix: "echo ") { return .echo(rest) }
        if let rest = body.remainder(afterPrefix: "panic ") { return .panic(rest) }
        if let rest = body.remainder(afterPrefix: "unknown command ") {
            return .unknownCommand(rest)
        }
        if let rest = body.remainder(afterPrefix: "unknown option ") { return .unknownOption(rest) }
        if let rest = body.remainder(afterPrefix: "bad option ") { return .badOption(rest) }
        if body.hasPrefix("seq=") { return parseHeartbeat(from: body) }
        return parseRecord(from: body)
    }

    /// A word, then its fields.
    private static func parseRecord(from body: Substring) -> PulseLine? {
        let words = body.split(separator: " ", maxSplits: 1)
        guard words.count == 2 else { return nil }
        var fields = PulseFields(words[1])
        let line: PulseLine? =
            switch words[0] {
            case "ready": PulseReady(&fields).map(PulseLine.ready)
            case "filled": parseFilled(from: &fields)
            case "verified": parseVerified(from: &fields)
            case "error": parseWrongPage(from: &fields)
            default: nil
            }
        return fields.isAtEnd ? line : nil
    }

    private static func parseHeartbeat(from body: Substring) -> PulseLine? {
        var fields = PulseFields(body)
        guard let heartbeat = PulseHeartbeat(&fields), fields.isAtEnd else { return nil }
        return .heartbeat(heartbeat)
    }

    private static func parseFilled(from fields: inout PulseFields) -> PulseLine? {
        guard let pages = fields.readNumber(forKey: "pages"),
            let elapsed = fields.readDuration(forKey: "us")
        else {
            return nil
        }
        return .filled(pages: pages, elapsed: elapsed)
    }

    private static func parseVerified(from fields: inout PulseFields) -> PulseLine? {
        guard let pages = fields.readNumber(forKey: "pages"),
            let errors = fields.readNumber(forKey: "errors"),
            let elapsed = fields.readDuration(forKey: "us")
        else { return nil }
        return .verified(pages: pages, errors: errors, elapsed: elapsed)
    }

    private static func parseWrongPage(from fields: inout PulseFields) -> PulseLine? {
        guard let page = fields.readNumber(forKey: "page"),
            let version = fields.readNumber(forKey: "version"),
            let offset = fields.readNumber(forKey: "offset")
        else { return nil }
        return .error(page: page, version: version, offset: offset)
    }
}

extension Substring {
    fileprivate func remainder(afterPrefix prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
