// The queries of the routes.

package import Model

/// A page of a list.
package struct PageQuery<Key: ParameterValue & PageKey>: RouteQuery {
    package var limit: Int?
    package var after: Key?

    package init() {}
    package init(limit: Int?, after: Key?) { (self.limit, self.after) = (limit, after) }

    package static var fields: [QueryField<Self>] {
        [
            .limitParameter(property: \.limit),
            Key.pageParameter(name: "after", property: \.after, description: afterText),
        ]
    }
}

/// What the pages of a list are ordered by.
package protocol PageKey {
    static func pageParameter<Query>(
        name: String, property: any WritableKeyPath<Query, Self?> & Sendable,
        description text: String
    ) -> QueryField<Query>
}

extension HostName: PageKey {
    package static func pageParameter<Query>(
        name: String, property: any WritableKeyPath<Query, HostName?> & Sendable,
        description text: String
    ) -> QueryField<Query> { .nameParameter(name: name, property: property, description: text) }
}

extension String: PageKey {
    package static func pageParameter<Query>(
        name: String, property: any WritableKeyPath<Query, String?> & Sendable,
        description text: String
    ) -> QueryField<Query> { .textParameter(name: name, property: property, description: text) }
}

private let afterText = "`next` of the previous page."

extension QueryField {
    fileprivate static func limitParameter(
        property: any WritableKeyPath<Query, Int?> & Sendable
    ) -> QueryField {
        .integerParameter(
            name: "limit", property: property, range: 1...Limits.pageMax,
            defaultValue: Limits.pageDefault,
            description: "The number of items on a page.")
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
            .limitParameter(property: \.limit),
            .nameParameter(name: "after", property: \.after, description: afterText),
            .nameParameter(
                name: "host", property: \.host,
                description: "Only VMs that are on this host, or that are being migrated to it."),
            .choiceParameter(
                name: "state", property: \.state, description: "Only VMs in this state."),
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
            .limitParameter(property: \.limit),
            .identifierParameter(name: "after", property: \.after, description: afterText),
            .choiceParameter(
                name: "state", property: \.state, description: "Only operations in this state."),
        ]
    }
}

package struct UpdateVMQuery: RouteQuery {
    /// A revision in quotes, or "*".
    package var ifMatch: String?

    package init() {}

    package static var fields: [QueryField<Self>] {
        [
            .headerParameter(
                name: "If-Match", property: \.ifMatch,
                pattern: "^(\"[0-9]{1,18}\"|[0-9]{1,18}|\\*)$",
                description:
                    "The ETag of the VM that the change is based on. 412 if the VM has changed since."
            )
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
            .revisionParameter(
                name: "after", property: \.after,
                description:
                    "The id of the last event that the client has seen. Default: only new events."),
            .headerParameter(
                name: "Last-Event-ID", property: \.lastEventID, pattern: "^[0-9]{1,18}$",
                description: "The same as `after`. It takes precedence."),
        ]
    }
}

package struct DeleteVMQuery: RouteQuery {
    package var id: VMID?

    package init() {}
    package init(id: VMID?) { self.id = id }

    package static var fields: [QueryField<Self>] {
        [
            .identifierParameter(
                name: "id", property: \.id,
                description:
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
            .integerParameter(
                name: "tail", property: \.tail, range: 0...Limits.logTailBytesMax,
                defaultValue: Limits.logTailBytesDefault,
                description: "The number of bytes, from the end of the log."
            )
        ]
    }
}
