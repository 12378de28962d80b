import API
import Clients
import ClusterCore
import Controller
import Foundation
import Model
import Testing

@Suite("Lists, revisions, and requests side by side", .serialized)
struct VMRequestTests {
    @Test("A list comes page by page, nothing twice and nothing left out")
    func pages() async throws {
        try await TestController.with { controller, client in
            let names = (0..<25).map { "vm-\($0 + 100)" }
            for name in names.shuffled() { _ = try await client.createVM(with: newVM(name)) }
            for limit in [1, 7, 25, 1000] {
                var sizes: [Int] = []
                let all = try await client.collectAllPages { after throws(ClientError) in
                    let page = try await client.listClusterVMs(limit: limit, after: after)
                    sizes.append(page.items.count)
                    return page
                }
                #expect(all.map(\.name.text) == names)
                #expect(sizes.dropLast().allSatisfy { $0 == limit })
            }
            // The page goes on although what it ended with is gone.
            let first = try await client.listClusterVMs(limit: 3)
            _ = try await client.deleteVM(named: first.items[2].name)
            let second = try await client.listClusterVMs(limit: 3, after: first.next)
            #expect(second.items.map(\.name.text) == Array(names[3..<6]))
        }
    }

    @Test("Groups, hosts and tokens have pages, too")
    func otherPages() async throws {
        try await TestController.with { controller, client in
            for host in ["host-a", "host-b", "host-c"] { try await controller.join(host) }
            _ = try await client.createVM(
                with: newVM("web") { vm in
                    vm.policy.groups = ["a", "b c".replacing(" ", with: "_"), "ü"].map {
                        GroupSpec(name: $0, kind: .antiAffinity)
                    }
                })
            for name in ["x", "y", "z"] {
                _ = try await client.createToken(with: CreateToken(name: name, role: .viewer))
            }
            let hosts = try await client.collectAllPages { after throws(ClientError) in
                try await client.listHosts(limit: 2, after: after)
            }
            #expect(hosts.map(\.name.text) == ["host-a", "host-b", "host-c"])
            let groups = try await client.collectAllPages { after throws(ClientError) in
                try await client.listGroups(limit: 1, after: after)
            }
            #expect(groups.map(\.group.name) == ["a", "b_c", "ü"])
            #expect(groups.allSatisfy { $0.members.map(\.text) == ["web"] })
            await problem(.inUse) { try await client.deleteGroup(named: "ü") }
            let tokens = try await client.collectAllPages { after throws(ClientError) in
                try await client.listTokens(limit: 2, after: after)
            }
            #expect(tokens.map(\.name) == ["x", "y", "z"])
        }
    }

    @Test("A change from an old revision is refused, by body and by If-Match, and changes nothing")
    func revisions() async throws {
        try await TestController.with { controller, client in
            let name = try VMName("web")
            _ = try await client.createVM(with: newVM("web"))
            let seen = try await client.readClusterVM(named: name)
            var update = UpdateClusterVM(revision: seen.revision)
            update.priority = 1
            let changed = try await client.updateVM(named: name, with: update)
            #expect(changed.policy.priority == 1)
            #expect(changed.revision > seen.revision)
            update.priority = 2
            await problem(.revisionMovedOn) { try await client.updateVM(named: name, with: update) }

            let path = "/v1/vms/web"
            let body = Data(#"{"priority":3}"#.utf8)
            func patch(_ match: String, _ body: Data) async throws -> CurlAnswer {
                try await controller.curl(
                    "PATCH", path, as: controller.operatorIdentity,
                    headers: ["If-Match: \(match)"], body: body)
            }
            let old = try await patch("\"\(seen.revision)\"", body)
            #expect(old.problem?.knownCode == .revisionMovedOn)
            for odd in ["W/\"7\"", "\"x\"", "\"\"", "\"-1\""] {
                let answer = try await patch(odd, body)
                #expect(answer.problem?.knownCode == .badRequest, "\(odd): \(answer.text)")
            }
            let contradiction = try await patch(
                "\"\(changed.revision)\"", Data(#"{"priority":3,"revision":1}"#.utf8))
            #expect(contradiction.problem?.knownCode == .revisionMovedOn)
            #expect(try await client.readClusterVM(named: name).policy.priority == 1)

            let shown = try await controller.curl("GET", path, as: controller.operatorIdentity)
            let tag = try #require(shown.headers["etag"])
            let matched = try await patch(tag, body)
            #expect(matched.status == 200)
            #expect(matched.headers["etag"] != tag)
            let any = try await patch("*", Data(#"{"priority":4}"#.utf8))
            #expect(any.status == 200)
            #expect(try await client.readClusterVM(named: name).policy.priority == 4)
        }
    }

    @Test("Of many who change the same VM from the same revision, one succeeds")
    func race() async throws {
        try await TestController.with { controller, client in
            let name = try VMName("web")
            let revision = try await client.createVM(with: newVM("web")).revision
            let results = await withTaskGroup(of: Bool.self) { group in
                for priority in 1...20 {
                    group.addTask {
                        var update = UpdateClusterVM(revision: revision)
                        update.priority = priority
                        do {
                            _ = try await client.updateVM(named: name, with: update)
                            return true
                        } catch ClientError.problem(let problem, _) {
                            return problem.knownCode == .revisionMovedOn ? false : true
                        } catch { return true }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.count { $0 } == 1)
        }
    }

    @Test(
        "A create that is sent twice with its id makes one VM; another one of that name is refused")
    func idempotence() async throws {
        try await TestController.with { _, client in
            let request = try newVM("web") { $0.id = .random() }
            let first = try await client.createVM(with: request)
            let second = try await client.createVM(with: request)
            #expect(first.id == second.id)
            await problem(.nameTaken) { try await client.createVM(with: newVM("web")) }
            #expect(try await client.listClusterVMs().items.count == 1)
        }
    }

    @Test("Hundreds of requests at once are all answered, and every VM is kept once")
    func concurrency() async throws {
        try await TestController.with { controller, client in
            try await controller.join()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<150 {
                    group.addTask { _ = try await client.createVM(with: newVM("vm-\(index)")) }
                    group.addTask { _ = try await client.listClusterVMs(limit: 10) }
                }
                try await group.waitForAll()
            }
            let all = try await client.collectAllPages { after throws(ClientError) in
                try await client.listClusterVMs(after: after)
            }
            #expect(Set(all.map(\.name)).count == 150)
            let figures = try PrometheusText(await client.readMetrics())
            #expect(try figures.value("ferry_store_changes_total") >= 150)
            #expect(
                try figures.value("ferry_store_commits_total")
                    <= figures.value("ferry_store_changes_total"))
        }
    }
}
