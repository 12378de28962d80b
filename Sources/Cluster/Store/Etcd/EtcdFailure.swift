// What can come of a call to etcd, and what that means to whoever called.

import ClusterCore

package enum EtcdFailure: Error, Hashable, Sendable {
    /// No connection: etcd knows nothing of the call.
    case notSent(String)
    /// Sent, perhaps, but no answer.
    case lost(String)
    /// Nothing came from a stream for so long that it may be dead.
    case silent
    /// etcd said no; a code of gRPC.
    case refused(code: Int, message: String)
    /// The answer is not one of etcd's.
    case malformed(String)
    /// The answer is longer than this client reads.
    case tooLong
    case compacted
    case cancelled
    case closed
}

/// The codes of gRPC that etcd's answers bear.
enum EtcdCode {
    static let invalidArgument = 3
    static let notFound = 5
    static let permissionDenied = 7
    static let resourceExhausted = 8
    static let failedPrecondition = 9
    static let outOfRange = 11
    static let unimplemented = 12
    static let unauthenticated = 16

    /// With these nothing was done, and no other member would do it.
    static let definite = [
        invalidArgument, notFound, permissionDenied, resourceExhausted, failedPrecondition,
        outOfRange, unimplemented, unauthenticated,
    ]
}

extension EtcdFailure {
    /// True when etcd surely did nothing.
    private var isHarmless: Bool {
        switch self {
        case .notSent: true
        case .refused(let code, let message):
            EtcdCode.definite.contains(code) || message == "etcdserver: no leader"
        case .lost, .silent, .malformed, .tooLong, .compacted, .cancelled, .closed: false
        }
    }

    /// True when another member may do what this one did not.
    func allowsAnotherMember(for effect: EtcdEffect) -> Bool {
        switch self {
        case .notSent: true
        case .lost: effect == .none
        case .refused(let code, _):
            !EtcdCode.definite.contains(code) && (effect == .none || isHarmless)
        case .silent, .malformed, .tooLong, .compacted, .cancelled, .closed: false
        }
    }

    func storeError(afterEffect effect: EtcdEffect) -> StoreError {
        guard effect == .none || isHarmless || self == .closed else {
            return .outcomeUnknown(reason: reason)
        }
        return switch self {
        case .notSent, .lost, .silent, .compacted, .cancelled: .unavailable(reason: reason)
        case .refused(let code, _) where !EtcdCode.definite.contains(code):
            .unavailable(reason: reason)
        case .refused(EtcdCode.resourceExhausted, _): .unavailable(reason: reason)
        case .refused, .malformed, .tooLong: .unusable(reason: reason)
        case .closed: .closed
        }
    }

    private var reason: String {
        switch self {
        case .notSent(let reason): "etcd cannot be reached: \(reason)"
        case .lost(let reason): "etcd did not answer: \(reason)"
        case .silent: "etcd did not answer: nothing came from it"
        case .refused(EtcdCode.resourceExhausted, let message):
            "etcd has no room (\(message)): compact and defragment it, or raise its quota"
        case .refused(_, let message): "etcd refused: \(message)"
        case .malformed(let reason):
            "not an answer of etcd's v3 API (\(reason)): is it etcd 3.4 or newer, with its gateway?"
        case .tooLong: "etcd's answer is longer than \(Limits.answerBytesMax) bytes"
        case .compacted: "etcd has compacted that revision"
        case .cancelled: "the call was cancelled"
        case .closed: "the store is closed"
        }
    }
}

/// Whether a call changes anything that its caller must know about.
enum EtcdEffect: Hashable, Sendable {
    /// It may be made twice.
    case none
    case change
}
