// Carries out commands at agents, over their own API, with the controller's certificate and its term.

import API
package import Clients
package import ClusterCore
import Host
package import Model

package struct AgentExecutor: CommandExecutor {
    private let pool: AgentPool
    private let cluster: ClusterName

    package init(pool: AgentPool, cluster: ClusterName) {
        self.pool = pool
        self.cluster = cluster
    }

    package func executeCommand(_ command: AgentCommand, inTerm term: Term) async -> CommandResult {
        guard let address = SocketAddress(command.apiAddress) else {
            return .unanswered("'\(command.apiAddress)' is no address")
        }
        do {
            let agent = HostAddress(
                cluster: cluster, name: command.host, ip: address.ip, port: Int(address.port))
            return try await pool.withClient(at: agent, term: term.number) { agent in
                try await Self.deliverOrder(command.order, to: agent)
            }
        } catch let error as ClientError {
            guard case .problem(let problem, _) = error else { return .unanswered("\(error)") }
            return .refused(problem)
        } catch {
            return .unanswered("\(error)")
        }
    }

    private static func deliverOrder(
        _ order: AgentCommand.Order, to agent: AgentClient
    ) async throws(ClientError) -> CommandResult {
        switch order {
        case .create(let request): return .vm(try await agent.createVM(with: request))
        case .perform(let action, let vm): return .vm(try await agent.performAction(action, on: vm))
        case .delete(let vm, let id):
            try await agent.deleteVM(named: vm, id: id)
            return .done
        case .migrate(let request): return .migration(try await agent.startMigration(with: request))
        case .cancelMigration(let id):
            return .migration(try await agent.cancelMigration(withID: id))
        case .askMigration(let id): return .migration(try await agent.migration(withID: id))
        case .recover(let request, let vm):
            _ = try await agent.recoverVM(with: request, on: vm)
            return .done
        }
    }
}
