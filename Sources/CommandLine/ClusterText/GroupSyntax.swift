// How a command line says that VMs belong together or apart.
//
//   GROUP[:host|rack|zone][:soft[=WEIGHT]][:max=N]        the parts after the name in any order, each once
//
//   db                    one host for all of group db, or one host for each: hard
//   db:rack               the same of racks
//   db:zone:soft=2        a wish, with weight 2
//   db:host:max=3         at most three of them on one host (apart only)

import API
package import Model

package struct GroupSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package let reason: String

    package var description: String {
        "'\(text.prefix(80))' is no group: \(reason); write GROUP[:host|rack|zone][:soft[=WEIGHT]], and [:max=N] for VMs that stay apart"
    }
}

extension GroupSpec {
    private static let weights = 0.001...1000.0
    private static let counts = 1...10_000

    package init(parsing text: String, ofKind kind: Kind) throws(GroupSyntaxError) {
        func syntaxError(reason: String) -> GroupSyntaxError {
            GroupSyntaxError(text: text, reason: reason)
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        // The name is part of a path of the API: the same letters as in all names.
        do { self.init(name: try VMName(parts[0]).text, kind: kind) } catch {
            throw syntaxError(reason: "its name must be 1 to 63 lower-case letters, digits or '-'")
        }
        for part in parts.dropFirst() {
            let words = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = words.count > 1 ? String(words[1]) : nil
            switch (String(words[0]), value) {
            case ("soft", _) where softWeight == nil:
                guard let weight = Double(value ?? "1"), Self.weights.contains(weight) else {
                    throw syntaxError(reason: "a weight is a number from 0.001 to 1000")
                }
                softWeight = weight
            case ("max", let value?) where perDomainMax == nil && kind == .antiAffinity:
                guard let count = Int(value), Self.counts.contains(count) else {
                    throw syntaxError(reason: "max is a whole number from 1 to 10000")
                }
                perDomainMax = count
            case (let word, nil) where scope == nil && Scope(rawValue: word) != nil:
                scope = Scope(rawValue: word)
            default: throw syntaxError(reason: "'\(part)' has no meaning there")
            }
        }
    }

    /// As a command line would say it.
    package var text: String {
        var text = name
        if let scope { text += ":\(scope.rawValue)" }
        if let softWeight { text += ":soft=\(decimalText(for: softWeight))" }
        if let perDomainMax { text += ":max=\(perDomainMax)" }
        return text
    }
}
