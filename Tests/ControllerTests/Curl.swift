// Requests as odd as they come, by curl: what a typed client would not send, and answers with their headers.

import API
import Clients
import Foundation
import Model
import Testing

struct CurlAnswer: Sendable {
    var status: Int
    /// Names in lower case.
    var headers: [String: String]
    var body: Data

    var text: String { String(decoding: body, as: UTF8.self) }
    var problem: Problem? { try? JSONDecoder().decode(Problem.self, from: body) }
}

extension TestController {
    enum Identity: Sendable {
        case nobody
        case keys(String)
        case token(String)
    }

    var operatorIdentity: Identity { .keys(cluster.keys(.operator, "admin")) }

    /// - Parameter path: sent as it is.
    func curl(
        _ method: String, _ path: String, as identity: Identity, headers: [String] = [],
        body: Data? = nil
    ) async throws -> CurlAnswer {
        var arguments = [
            "--silent", "--show-error", "--include", "--max-time", "20", "--path-as-is",
            "--globoff",
            "--cacert", authorityFile, "--request", method,
            "--connect-to", "::127.0.0.1:\(address.port)",
        ]
        switch identity {
        case .nobody: break
        case .keys(let folder):
            arguments += ["--cert", "\(folder)/cert.pem", "--key", "\(folder)/key.pem"]
        case .token(let token): arguments += ["--header", "Authorization: Bearer \(token)"]
        }
        for header in headers { arguments += ["--header", header] }
        if body != nil { arguments += ["--data-binary", "@-", "--header", "Expect:"] }
        arguments.append("https://\(address.identity.dnsName):\(address.port)\(path)")
        return try parsed(await Self.run(arguments, input: body ?? Data()))
    }

    private static func run(_ arguments: [String], input: Data) async throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
        process.arguments = arguments
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        try process.run()
        // Another thread than the tasks' own: the server under test runs on those.
        return await withCheckedContinuation { done in
            Thread {
                try? stdin.fileHandleForWriting.write(contentsOf: input)
                try? stdin.fileHandleForWriting.close()
                let output = stdout.fileHandleForReading.readDataToEndOfFile()
                process.waitUntilExit()
                done.resume(returning: output)
            }.start()
        }
    }

    private func parsed(_ output: Data) throws -> CurlAnswer {
        let separator = Data("\r\n\r\n".utf8)
        guard let end = output.range(of: separator) else {
            throw TestFailure("no answer: \(String(decoding: output, as: UTF8.self))")
        }
        let lines = String(decoding: output[..<end.lowerBound], as: UTF8.self)
            .components(separatedBy: "\r\n")
        let status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...]
                .trimmingCharacters(in: .whitespaces)
        }
        return CurlAnswer(
            status: status, headers: headers, body: Data(output[end.upperBound...]))
    }
}
