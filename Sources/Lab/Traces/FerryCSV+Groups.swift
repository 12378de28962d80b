// Groups of VMs as a table has them, in the words of the command line:
//
//   NAME[:host|rack|zone][:soft[=WEIGHT]][:max=N]      the parts after the name in any order, each once; max: apart only

import Placement

extension AffinityGroup {
    static let textForm = "groups as NAME[:host|rack|zone][:soft[=WEIGHT]][:max=N]"

    /// Nil for any other text.
    init?(text: Substring, kind: Kind) {
        var parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let name = parts.removeFirst()
        guard !name.isEmpty, parts.count <= 3 else { return nil }
        var (scope, strength, max) = (Scope?.none, Strength?.none, Int?.none)
        for part in parts {
            if scope == nil, let named = Scope(rawValue: String(part)) {
                scope = named
            } else if strength == nil, let weight = Self.parseWeight(from: part) {
                strength = .soft(weight: weight)
            } else if max == nil, kind != .together, let count = Self.parseCountLimit(from: part) {
                max = count
            } else {
                return nil
            }
        }
        self.init(
            name: String(name), kind: max.map { .apart(perDomainMax: $0) } ?? kind,
            scope: scope ?? .host, strength: strength ?? .hard)
    }

    private static func parseWeight(from part: Substring) -> Double? {
        if part == "soft" { return 1 }
        guard part.hasPrefix("soft=") else { return nil }
        let digits = Array(part.utf8.dropFirst(5))
        let weight = DecimalText.parseDouble(in: digits, from: 0, to: digits.count)
        return weight.flatMap { (0.001...1000).contains($0) ? $0 : nil }
    }

    private static func parseCountLimit(from part: Substring) -> Int? {
        guard part.hasPrefix("max=") else { return nil }
        return Int(part.dropFirst(4)).flatMap { (1...10_000).contains($0) ? $0 : nil }
    }
}
