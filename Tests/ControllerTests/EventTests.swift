import API
import Clients
import ClusterCore
import Controller
import Foundation
import Model
import Synchronization
import Testing

@Suite("Events", .serialized)
struct EventTests {
    /// Follows until as many events have come as are wanted.
    private static func events(
        _ count: Int, after: UInt64?, _ client: ControllerClient
    ) async throws -> [ClusterEvent] {
        var events: [ClusterEvent] = []
        try await client.followEvents(after: after) { event in
            events.append(event)
            return events.count < count
        }
        return events
    }

    private static func names(_ events: [ClusterEvent]) -> [String] {
        events.map { event in
            switch event.change {
            case .host(let host): "host \(host.name)"
            case .vm(let vm): "vm \(vm.name)"
            case .operation(let operation): "operation \(operation.kind.rawValue)"
            case .balance: "balance"
            case .deleted(let kind, let name): "deleted \(kind.rawValue) \(name)"
            case .reset: "reset"
            }
        }
    }

    @Test("What changes is told in order, and who comes back goes on behind what it has seen")
    func resume() async throws {
        try await TestController.with { controller, client in
            for name in ["a", "b", "c"] { _ = try await client.createVM(with: newVM(name)) }
            let all = try await Self.events(3, after: 0, client)
            #expect(Self.names(all) == ["vm a", "vm b", "vm c"])
            #expect(all.map(\.revision) == all.map(\.revision).sorted())
            let rest = try await Self.events(2, after: all[0].revision, client)
            #expect(Self.names(rest) == ["vm b", "vm c"])

            let answer = try await controller.curl(
                "GET", "/v1/events", as: controller.operatorIdentity,
                headers: ["Last-Event-ID: x"])
            #expect(answer.problem?.knownCode == .badRequest)
        }
    }

    @Test("A follower hears of what happens while it follows: hosts, VMs, and their end")
    func live() async throws {
        try await TestController.with { controller, client in
            let start = await controller.driver.revision.number
            let follower = Task { try await Self.events(4, after: start, client) }
            _ = try await client.createVM(with: newVM("web"))
            _ = try await client.updateVM(named: try VMName("web"), with: UpdateClusterVM())
            _ = try await client.deleteVM(named: try VMName("web"))
            _ = try await client.createVM(with: newVM("other"))
            try await controller.join()
            let names = Self.names(try await follower.value)
            #expect(names.contains("deleted vm web"))
            #expect(names.contains("vm other"))
        }
    }

    @Test("Whose revision the store has forgotten is told to list everything again, then goes on")
    func reset() async throws {
        let store = MemoryStore()
        try await TestController.with(store: store) { _, client in
            for name in ["a", "b", "c"] { _ = try await client.createVM(with: newVM(name)) }
            let latest = await store.latest
            try await store.compactChanges(before: latest)
            let follower = Task { try await Self.events(2, after: 1, client) }
            // When the reset was heard of, the next change must be, too.
            let first = try await Self.events(1, after: 1, client)
            #expect(Self.names(first) == ["reset"])
            #expect(first[0].revision >= latest.number)
            _ = try await client.createVM(with: newVM("d"))
            #expect(Set(Self.names(try await follower.value)).isSubset(of: ["reset", "vm d"]))
        }
    }

    @Test("More followers than there may be are refused, and a place is free again when one goes")
    func bounded() async throws {
        try await TestController.with { controller, client in
            _ = try await client.createVM(with: newVM("web"))
            // One client has only so many connections.
            let places = (0..<Controller.Limits.streamsMax).map { _ in
                EventPlace(controller: controller)
            }
            for place in places { await place.begun() }
            let refused = try await controller.curl(
                "GET", "/v1/events", as: controller.operatorIdentity)
            #expect(refused.problem?.knownCode == .tooMany)
            for place in places { place.end() }
            let end = Date.now.addingTimeInterval(20)
            while Date.now < end {
                let text = try PrometheusText(await client.readMetrics())
                if try text.value("ferry_event_streams") == 0 { return }
            }
            Issue.record("places are not given back")
        }
    }
}

/// A follower that was heard of and does not go by itself.
private final class EventPlace: Sendable {
    private let task: Task<Void, any Error>
    private let first: AsyncStream<Void>

    init(controller: TestController) {
        let (first, told) = AsyncStream<Void>.makeStream()
        self.first = first
        task = Task {
            // What happened since the beginning: something did.
            try await controller.client { client in
                try await client.followEvents(after: 0) { _ in
                    told.yield()
                    return !Task.isCancelled
                }
            }
        }
    }

    func begun() async {
        for await _ in first { return }
    }
    func end() { task.cancel() }
}
