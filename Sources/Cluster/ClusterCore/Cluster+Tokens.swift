// The tokens of people and tools that have no certificate.

package import API
import Model

extension Cluster {
    package mutating func createToken(
        from record: TokenRecord, in context: inout Context
    ) throws(Problem) -> TokenInfo {
        guard records.tokens.count < Limits.tokensMax else {
            throw Problem(
                .tooMany, detail: "there are \(records.tokens.count) tokens, the most there can be")
        }
        do throws(NameError) { _ = try HostName(record.name) } catch {
            throw Problem(.invalid, detail: "\(error)")
        }
        guard records.tokens[record.name] == nil else {
            throw Problem(.nameTaken, detail: "there is a token \(record.name) already")
        }
        _ = records.tokens.storeRecord(record, in: &context)
        return TokenInfo(record)
    }

    package mutating func deleteToken(
        named name: String, in context: inout Context
    ) throws(Problem) {
        guard records.tokens[name] != nil else {
            throw Problem(.tokenNotFound, detail: "there is no token '\(name.prefix(100))'")
        }
        records.tokens.removeRecord(named: name, in: &context)
    }

    package func listTokens(after name: String?, limit: Int) -> Page<TokenInfo> {
        let names = records.tokens.recordNames(after: name)
        let items = names.prefix(limit).compactMap { records.tokens[$0].map { TokenInfo($0) } }
        return Page(items: items, next: names.count > limit ? items.last?.name : nil)
    }

    /// All, to be compared with a client's token.
    package var tokenRecords: [TokenRecord] { Array(records.tokens.all) }
}

extension TokenInfo {
    fileprivate init(_ token: TokenRecord) {
        self.init(
            name: token.name, role: token.role, createdAtMs: token.createdAtMs,
            expiresAtMs: token.expiresAtMs)
    }
}
