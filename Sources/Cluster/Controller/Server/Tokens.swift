// Bearer tokens: a way in without a certificate. A token is `ferry.NAME.SECRET`, 256 random bits long; what the store
// has of it is a hash, from which nobody makes the token again.

import API
import ClusterCore
import Keys
import Model

enum Token {
    /// A new one, and what is stored of it.
    static func make(_ request: CreateToken, nowMs: Int64) throws(Problem) -> (
        text: String, record: TokenRecord
    ) {
        if let seconds = request.validForSeconds, !Limits.tokenSeconds.contains(seconds) {
            throw Problem(
                .invalid,
                "validForSeconds is \(seconds): use \(Limits.tokenSeconds.lowerBound) to \(Limits.tokenSeconds.upperBound)"
            )
        }
        var generator = SystemRandomNumberGenerator()
        let secret = (0..<Limits.tokenBytes).map { _ in
            UInt8.random(in: .min ... .max, using: &generator)
        }
        let text = "ferry.\(request.name).\(secret.hexadecimal())"
        return (
            text,
            TokenRecord(
                name: request.name, role: request.role, digest: digest(text), createdAtMs: nowMs,
                expiresAtMs: request.validForSeconds.map { nowMs + Int64($0) * 1000 })
        )
    }

    /// The name in a token's text; nil when it is none.
    static func name(in text: String) -> String? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "ferry", text.utf8.count <= Limits.tokenTextMax else {
            return nil
        }
        return String(parts[1])
    }

    /// Takes as long whatever differs. Nil: this is not the record's token, or it is over.
    static func check(_ text: String, _ record: TokenRecord, nowMs: Int64) -> TokenRole? {
        let (given, known) = (Array(digest(text).utf8), Array(record.digest.utf8))
        guard given.count == known.count else { return nil }
        let difference = zip(given, known).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
        guard difference == 0, record.expiresAtMs.map({ nowMs < $0 }) ?? true else { return nil }
        return record.role
    }

    private static func digest(_ text: String) -> String {
        sha256(Array(text.utf8)).hexadecimal()
    }
}
