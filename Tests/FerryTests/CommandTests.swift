// What commands say when there is no controller, when nobody answers, and when they are written wrongly.

import Foundation
import Testbed
import Testing

@Suite("ferry's words when it cannot do what it is asked")
struct CommandTests {
    @Test(arguments: [
        ["drain", "host-a"], ["activate", "host-a"], ["fence", "host-a"], ["balance"],
        ["balance", "--plan"], ["place", "--explain", "web"], ["maintenance", "plan"],
        ["operation", "list"], ["group", "list"], ["token", "list"], ["events"], ["top"],
        ["record", "--to", "history.jsonl"],
        ["host", "forget", "host-a"], ["vm", "update", "web", "--priority", "1"],
        ["vm", "create", "web", "--label", "ssd"], ["vm", "create", "web", "--affinity", "db"],
        ["vm", "create", "web", "--stopped"], ["vm", "create", "web", "--on-failure", "restart"],
    ])
    func `Without a controller, what needs one is refused with what to do`(_ command: [String])
        async throws
    {
        let folder = try TestFolder()
        try await folder.makeKeys()
        let result = try await FerryCommand.runFerry(
            arguments: command + ["--cluster", "cluster.yaml"], folder: folder.path)
        #expect(result.exitCode == 4, "\(result.errors)")
        #expect(result.errors.contains("add `controllers:` to"), "\(result.errors)")
        #expect(result.errors.contains("[no_controller]"))
        #expect(result.output.isEmpty)
    }

    @Test func `Without a controller a migration must say where to`() async throws {
        let folder = try TestFolder()
        try await folder.makeKeys()
        let result = try await folder.ferry("migrate", "web")
        #expect(result.exitCode == 4)
        #expect(result.errors.contains("--to HOST"), "\(result.errors)")
    }

    @Test func `A controller that does not answer is exit code 5, in JSON too`() async throws {
        let folder = try TestFolder(TestFolder.controllers)
        try await folder.makeKeys()
        let commands = [
            ["vm", "list"], ["host", "list"], ["drain", "host-a", "--plan"],
            ["record", "--to", "history.jsonl"],
        ]
        for command in commands {
            let result = try await FerryCommand.runFerry(
                arguments: command + ["--cluster", "cluster.yaml", "--output", "json"],
                folder: folder.path)
            #expect(result.exitCode == 5, "\(command): \(result.errors)")
            #expect(result.errors.contains("\"unreachable\""), "\(command): \(result.errors)")
        }
    }

    @Test func `A host is not fenced by a slip`() async throws {
        let folder = try TestFolder(TestFolder.controllers)
        try await folder.makeKeys()
        let bare = try await folder.ferry("fence", "host-a")
        #expect(bare.exitCode == 4)
        #expect(bare.errors.contains("two copies") && bare.errors.contains("--confirm host-a"))
        let slip = try await folder.ferry("fence", "host-a", "--confirm", "host-b")
        #expect(slip.exitCode == 4)
        #expect(slip.errors.contains("not host-a"), "\(slip.errors)")
        // Confirmed, it is asked for: here nobody answers.
        #expect(try await folder.ferry("fence", "host-a", "--confirm", "host-a").exitCode == 5)
    }

    @Test func `With a token, agents are not asked, and no keys are needed`() async throws {
        let token = ["FERRY_TOKEN": "secret"]
        let controlled = try TestFolder(TestFolder.controllers)
        let bare = try await controlled.ferry("vm", "list", environment: token)
        #expect(bare.exitCode == 4)
        #expect(bare.errors.contains("put ca.pem into"), "\(bare.errors)")
        try await controlled.makeKeys()
        try FileManager.default.removeItem(atPath: "\(controlled.path)/keys/operator-admin")
        let silent = try await controlled.ferry("vm", "list", environment: token)
        #expect(silent.exitCode == 5, "\(silent.errors)")
        let agents = try await controlled.ferry("agent", "check", environment: token)
        #expect(agents.exitCode == 4)
        #expect(agents.errors.contains("unset FERRY_TOKEN"), "\(agents.errors)")
        let uncontrolled = try TestFolder()
        try await uncontrolled.makeKeys()
        let none = try await uncontrolled.ferry("vm", "list", environment: token)
        #expect(none.exitCode == 4)
        #expect(none.errors.contains("[no_controller]"), "\(none.errors)")
    }

    @Test(arguments: [
        (["vm", "create", "web", "--affinity", "db:city"], "write GROUP[:host|rack|zone]"),
        (["vm", "create", "web", "--affinity", "db:max=2"], "has no meaning there"),
        (["vm", "create", "web", "--memory", "lots"], "512MiB"),
        (["vm", "create", "web", "--on-failure", "pray"], "leave"),
        (["vm", "update", "web"], "say what to change"),
        (["drain", "host-a", "--cancel", "--plan"], "--cancel stands alone"),
        (["drain", "host-a", "--parallel", "0"], "1 or more"),
        (["balance", "--plan", "--run"], "one at a time"),
        (["balance", "--mode", "on"], "auto"),
        (["place"], "give a VM's name"),
        (["place", "web", "--memory", "1GiB"], "give a VM's name"),
        (["operation", "show", "7"], "32 hexadecimal digits"),
        (["token", "create", "ci", "--role", "king"], "viewer"),
        (["maintenance", "plan", "--group-max", "0"], "1 or more"),
        (["record", "--to", "h.jsonl", "--every", "1ms"], "--every must be 1s to 1h"),
        (["record", "--to", "h.jsonl", "--for", "10ms"], "--for must be 1s or more"),
    ])
    func `A command that is written wrongly is exit code 64 with what would be right`(
        _ command: [String], _ words: String
    ) async throws {
        let result = try await FerryCommand.runFerry(
            arguments: command, folder: NSTemporaryDirectory())
        #expect(result.exitCode == 64, "\(result.errors)")
        #expect(result.errors.contains(words), "\(result.errors)")
    }

    @Test func `A store that does not answer is named before anything is started`() async throws {
        let folder = try TestFolder(
            TestFolder.controllers
                + "\nstore:\n  kind: etcd\n  endpoints: [\"http://127.66.0.1:2379\"]"
        )
        let result = try await folder.ferry("up", "cluster.yaml")
        #expect(result.exitCode == 5, "\(result.errors)")
        #expect(result.errors.contains("start etcd first"), "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/state"))
        // Its keys were made, those of the controller too.
        let shown = try await folder.ferry("pki", "show", "keys/controller-controller-1")
        #expect(shown.output.contains("ferry://quiet/controller/controller-1"), "\(shown.errors)")
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `Completion scripts ask for names`(_ shell: String) async throws {
        let result = try await FerryCommand.runFerry(
            arguments: ["--generate-completion-script", shell], folder: NSTemporaryDirectory())
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result.output.contains("ferry complete vms"))
        #expect(result.output.contains("ferry complete hosts"))
    }

    @Test func `Names for completion are lines, and there is never an error`() async throws {
        let folder = try TestFolder()
        let none = try await folder.ferry("complete", "hosts")
        #expect(none.exitCode == 0 && none.output.isEmpty && none.errors.isEmpty)
        try await folder.makeKeys()
        #expect(try await folder.ferry("complete", "hosts").output == "host-a\nhost-b\n")
        let silent = try await folder.ferry("complete", "vms")
        #expect(silent.exitCode == 0 && silent.output.isEmpty && silent.errors.isEmpty)
        let help = try await folder.ferry("help")
        #expect(!help.output.contains("complete"))
    }
}
