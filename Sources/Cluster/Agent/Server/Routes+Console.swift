// The serial console: its log, its live output, its input.

import API
import HTTPTypes
import Host
import Hummingbird
import NIOCore
import Serving

extension Routes {
    func addConsole(to router: Router<APIContext>) {
        router.get("v1/vms/:name/log") { request, context in
            let count = try tail(request)
            let files = try await vm(context).files
            let bytes = try await onThread("log") { () throws(SystemError) in
                try ConsoleLog.tail(files, count: count)
            }
            return Response(
                status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        }
        router.get("v1/vms/:name/console") { request, context in
            let vm = try await vm(context)
            let console = try await vm.openConsole()
            return request.live(
                mediaType: "application/octet-stream", stop: { console.close() }
            ) { writer in
                try await console.copy(to: &writer)
            }
        }
        router.post("v1/vms/:name/console") { request, context in
            let input = try await request.bytes(limit: APILimits.consoleInputBytesMax)
            try await vm(context).sendConsoleInput(input)
            return Response(status: .noContent)
        }
    }

    private func tail(_ request: Request) throws(Problem) -> Int {
        guard let text = request.uri.queryParameters.get("tail") else {
            return APILimits.logTailBytesDefault
        }
        guard let count = Int(text), (0...APILimits.logTailBytesMax).contains(count) else {
            throw Problem(
                .badRequest,
                "tail is '\(text.prefix(20))': use 0 to \(APILimits.logTailBytesMax) bytes")
        }
        return count
    }
}
