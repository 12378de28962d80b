// The serial console: its log, its live output, its input.

import API
import Host
import Hummingbird
import Serving

extension Routes {
    var consoleRoutes: [ServedRoute] {
        [
            AgentRoutes.readLog.serveRawResponse { call in
                let count = call.query.tail ?? APILimits.logTailBytesDefault
                let files = try await inventory.virtualMachine(named: call.path).files
                let bytes = try await runOnThread(named: "log") { () throws(SystemError) in
                    try ConsoleLog.readLastBytes(of: files, count: count)
                }
                return .rawResponse(bytes: bytes, mediaType: "text/plain; charset=utf-8")
            },
            AgentRoutes.readConsole.serveRawResponse { call in
                let vm = try await inventory.virtualMachine(named: call.path)
                let console = try await vm.openConsole()
                return call.request.streamResponse(
                    mediaType: "application/octet-stream", stop: { console.close() }
                ) { writer in
                    try await console.copyOutput(to: &writer)
                }
            },
            AgentRoutes.writeConsole.serveNoContent { call in
                let input = try await call.request.readBodyBytes(
                    limit: APILimits.consoleInputBytesMax)
                try await inventory.virtualMachine(named: call.path).sendConsoleInput(input)
            },
        ]
    }
}
