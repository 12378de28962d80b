// The serial console: its log, its live output, its input.

import API
import Host
import Hummingbird
import Serving

extension Routes {
    var consoleRoutes: [ServedRoute] {
        [
            AgentRoutes.readLog.serveRaw { call in
                let count = call.query.tail ?? APILimits.logTailBytesDefault
                let files = try await inventory.vm(named: call.path).files
                let bytes = try await onThread("log") { () throws(SystemError) in
                    try ConsoleLog.tail(files, count: count)
                }
                return .bytes(bytes, mediaType: "text/plain; charset=utf-8")
            },
            AgentRoutes.readConsole.serveRaw { call in
                let vm = try await inventory.vm(named: call.path)
                let console = try await vm.openConsole()
                return call.request.live(
                    mediaType: "application/octet-stream", stop: { console.close() }
                ) { writer in
                    try await console.copy(to: &writer)
                }
            },
            AgentRoutes.writeConsole.serveNoContent { call in
                let input = try await call.request.bytes(limit: APILimits.consoleInputBytesMax)
                try await inventory.vm(named: call.path).sendConsoleInput(input)
            },
        ]
    }
}
