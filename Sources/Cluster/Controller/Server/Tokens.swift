// Bearer tokens: authentication without a certificate. A token is `ferry.NAME.SECRET` with a secret of 256 random bits.
// The store has only a hash of it, from which the token cannot be recovered.

import API
import ClusterCore
import Keys
import Model
import Serving

enum Token {
    /// A new token, and its record.
    static func makeToken(for request: CreateToken, nowMs: Int64) throws(Problem) -> (
        text: String, record: TokenRecord
    ) {
        if let seconds = request.validForSeconds, !APILimits.tokenSeconds.contains(seconds) {
            throw Problem(
                .invalid,
                detail:
                    "validForSeconds is \(seconds): use \(APILimits.tokenSeconds.lowerBound) to \(APILimits.tokenSeconds.upperBound)"
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
                name: request.name, role: request.role, digest: tokenDigest(text: text),
                createdAtMs: nowMs,
                expiresAtMs: request.validForSeconds.map { nowMs + Int64($0) * 1000 })
        )
    }

    /// The name in the text of a token; nil if the text is not a token.
    static func tokenName(fromText text: String) -> String? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "ferry", text.utf8.count <= Limits.tokenTextMax else {
            return nil
        }
        return String(parts[1])
    }

    /// The role of a token. Nil: it is not the token of this record, or it has expired. The comparison takes the same
    /// time wherever the texts differ.
    static func tokenRole(text: String, record: TokenRecord, nowMs: Int64) -> TokenRole? {
        let (given, known) = (Array(tokenDigest(text: text).utf8), Array(record.digest.utf8))
        guard given.count == known.count else { return nil }
        let difference = zip(given, known).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
        guard difference == 0, record.expiresAtMs.map({ nowMs < $0 }) ?? true else { return nil }
        return record.role
    }

    private static func tokenDigest(text: String) -> String {
        sha256Digest(of: Array(text.utf8)).hexadecimal()
    }
}
