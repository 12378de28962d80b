// The controllers of a cluster that runs on this machine, and whether what they need is there.

import API
import Clients
import ClusterFile
import Host
import Model

struct LocalControllers {
    private static let registrationLimit = Duration.seconds(60)
    private static let poll = Duration.milliseconds(200)

    let cluster: ClusterFile

    func controllerDaemon(named name: HostName) -> LocalDaemon {
        let folder = cluster.controllerFolder(of: name)
        return LocalDaemon(
            title: "controller \(name)",
            program: LocalDaemon.programPath(
                named: "ferry-controller", overrideVariable: "FERRY_CONTROLLER"),
            arguments: ["--config", cluster.path, "--name", name.text], folder: folder,
            log: "\(folder)/controller.log", failureCode: "controller_failed",
            variable: "FERRY_CONTROLLER")
    }

    /// Starts those that do not run, and returns when one leads.
    func startControllers(using client: ControllerClient) async throws {
        var started: [(HostName, ProcessHandle)] = []
        for controller in cluster.controllers
        where controllerDaemon(named: controller.name).processID == nil {
            started.append(
                (controller.name, try controllerDaemon(named: controller.name).startProcess()))
        }
        for (name, process) in started {
            let daemon = controllerDaemon(named: name)
            try await daemon.waitUntilReady(process: process) {
                guard daemon.processID == process.processID else { return false }
                return (try? await client.readClusterInfo())?.leader != nil
            }
        }
    }

    /// Returns when the leader has heard from every host of the file.
    func waitForAgents(registeredAt client: ControllerClient) async throws {
        let end = Instant.now + Self.registrationLimit
        var missing: [HostName] = []
        repeat {
            let known = try await client.fetchAllHosts()
            let answering = known.filter { $0.state != .unreachable && $0.heardOfMsAgo != nil }
            let present = Set(answering.map(\.name))
            missing = cluster.hosts.map(\.name).filter { !present.contains($0) }
            if missing.isEmpty { return }
            try await Task.sleep(for: Self.poll)
        } while Instant.now < end
        throw CommandFailure(
            .unreachable, code: "agents_missing",
            message:
                "the controller has not heard from \(missing.map(\.text).joined(separator: ", ")); see the logs of the agents and controllers under \(cluster.stateFolder)"
        )
    }

    /// Before anything is started: a store of its own is not started here, and controllers would only wait for it.
    func refuseSilentStore() throws {
        guard
            cluster.controllers.contains(where: {
                controllerDaemon(named: $0.name).processID == nil
            }),
            case .etcd(let endpoints, _) = cluster.store
        else { return }
        // An endpoint with a host's name in it is left to the controllers.
        let addresses = endpoints.compactMap { endpoint in
            endpoint.split(separator: "/").last.flatMap { SocketAddress(String($0)) }
        }
        guard addresses.count == endpoints.count else { return }
        let answers = addresses.contains { address in
            (try? TCPSocket.openConnection(to: address, within: .seconds(2))) != nil
        }
        guard !answers else { return }
        throw CommandFailure(
            .unreachable, code: "store_unavailable",
            message:
                "the store does not answer at \(endpoints.joined(separator: ", ")): start etcd first, `ferry up` does not"
        )
    }
}
