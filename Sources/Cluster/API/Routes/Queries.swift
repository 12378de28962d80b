// The queries of the routes.

package import Model

/// A page of a list.
package struct PageQuery<Key: ParameterValue & PageKey>: RouteQuery {
    package var limit: Int?
    package var after: Key?

    package init() {}
    package init(limit: Int?, after: Key?) { (self.limit, self.after) = (limit, after) }

    package static var fields: [QueryField<Self>] {
        [.limit(\.limit), Key.field("after", \.after, afterText)]
    }
}

/// What the pages of a list are ordered by.
package protocol PageKey {
    static func field<Query>(
        _ name: String, _ property: any WritableKeyPath<Query, Self?> & Sendable, _ text: String
    ) -> QueryField<Query>
}

extension HostName: PageKey {
    package static func field<Query>(
        _ name: String, _ property: any WritableKeyPath<Query, HostName?> & Sendable,
        _ text: String
    ) -> QueryField<Query> { .name(name, property, text) }
}

extension String: PageKey {
    package static func field<Query>(
        _ name: String, _ property: any WritableKeyPath<Query, String?> & Sendable,
        _ text: String
    ) -> QueryField<Query> { .text(name, property, text) }
}

private let afterText = "`next` of the previous page."

extension QueryField {
    fileprivate static func limit(
        _ property: any WritableKeyPath<Query, Int?> & Sendable
    ) -> QueryField {
        .integer(
            "limit", property, in: 1...Limits.pageMax, default: Limits.pageDefault,
            "The number of items on a page.")
    }
}

package struct VMListQuery: RouteQuery {
    package var limit: Int?
    package var after: VMName?
    package var host: HostName?
    package var state: ClusterVMState?

    package init() {}

    package static var fields: [QueryField<Self>] {
        [
            .limit(\.limit), .name("after", \.after, afterText),
            .name(
                "host", \.host,
                "Only VMs that are on this host, or that are being migrated to it."),
            .choice("state", \.state, "Only VMs in this state."),
        ]
    }
}

package struct OperationListQuery: RouteQuery {
    package var limit: Int?
    package var after: OperationID?
    package var state: OperationInfo.State?

    package init() {}

    package static var fields: [QueryField<Self>] {
        [
            .limit(\.limit), .identifier("after", \.after, afterText),
            .choice("state", \.state, "Only operations in this state."),
        ]
    }
}

package struct UpdateVMQuery: RouteQuery {
    /// A revision in quotes, or "*".
    package var ifMatch: String?

    package init() {}

    package static var fields: [QueryField<Self>] {
        [
            .header(
                "If-Match", \.ifMatch, pattern: "^(\"[0-9]{1,18}\"|[0-9]{1,18}|\\*)$",
                "The ETag of the VM that the change is based on. 412 if the VM has changed since.")
        ]
    }
}

package struct EventsQuery: RouteQuery {
    package var after: UInt64?
    package var lastEventID: String?

    package init() {}
    package init(after: UInt64?) { self.after = after }

    package static var fields: [QueryField<Self>] {
        [
            .revision(
                "after", \.after,
                "The id of the last event that the client has seen. Default: only new events."),
            .header(
                "Last-Event-ID", \.lastEventID, pattern: "^[0-9]{1,18}$",
                "The same as `after`. It takes precedence."),
        ]
    }
}

package struct DeleteVMQuery: RouteQuery {
    package var id: VMID?

    package init() {}
    package init(id: VMID?) { self.id = id }

    package static var fields: [QueryField<Self>] {
        [
            .identifier(
                "id", \.id,
                "The identifier that the VM must have. Default: whichever VM has the name.")
        ]
    }
}

package struct LogQuery: RouteQuery {
    package var tail: Int?

    package init() {}
    package init(tail: Int?) { self.tail = tail }

    package static var fields: [QueryField<Self>] {
        [
            .integer(
                "tail", \.tail, in: 0...Limits.logTailBytesMax,
                default: Limits.logTailBytesDefault, "The number of bytes, from the end of the log."
            )
        ]
    }
}
