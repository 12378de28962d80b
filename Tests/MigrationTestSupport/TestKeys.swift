// A cluster authority and certificates for tests, made with the openssl command.

import Foundation
package import Model
import Synchronization

/// Folders of keys that live as long as the process: those of static properties have no other end.
private let folders = Mutex<[String]>([])

private let removesFoldersAtExit: Void = {
    atexit {
        for folder in folders.withLock({ $0 }) {
            // Some are gone with their owner.
            try? FileManager.default.removeItem(atPath: folder)
        }
    }
}()

/// Keys folders under one temporary folder, removed with the object.
package final class TestKeys: Sendable {
    package let folder: String

    package init() throws {
        let folder = NSTemporaryDirectory() + "ferry-keys-\(UUID().uuidString)"
        self.folder = folder
        removesFoldersAtExit
        folders.withLock { $0.append(folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try makeAuthority("ca")
    }

    deinit {
        // A folder that stays behind in /tmp is no failure of a test.
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Another authority, for strangers.
    package func makeAuthority(_ name: String) throws {
        try openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "\(folder)/\(name)-key.pem", "-out", "\(folder)/\(name).pem", "-days", "2",
            "-subj", "/CN=\(name)", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        ])
    }

    /// A keys folder for this identity; returns its path.
    /// - Parameters:
    ///   - trusting: the authority in its ca.pem.
    ///   - days: until it expires; negative: since when it has.
    ///   - ip: where it serves, for clients that check that.
    package func issue(
        _ name: String, cluster: String = "test", role: Role = .agent, by authority: String = "ca",
        trusting: String = "ca", days: Int = 2, uris: [String]? = nil, ip: String? = nil
    ) throws -> String {
        let path = "\(folder)/\(name)-\(UUID().uuidString.prefix(8))"
        let manager = FileManager.default
        try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
        let names = uris ?? ["ferry://\(cluster)/\(role.rawValue)/\(name)"]
        let alternative =
            names.map { "URI:\($0)" } + ["DNS:\(name).test"] + (ip.map { ["IP:\($0)"] } ?? [])
        let extensions = """
            subjectAltName=\(alternative.joined(separator: ","))
            extendedKeyUsage=serverAuth,clientAuth
            """
        try extensions.write(toFile: "\(path)/ext", atomically: true, encoding: .utf8)
        try openssl([
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            "\(path)/key.pem", "-out", "\(path)/request.pem", "-subj", "/CN=\(name)",
        ])
        try openssl([
            "x509", "-req", "-in", "\(path)/request.pem", "-CA", "\(folder)/\(authority).pem",
            "-CAkey", "\(folder)/\(authority)-key.pem", "-CAcreateserial", "-days", "\(days)",
            "-extfile", "\(path)/ext", "-out", "\(path)/cert.pem",
        ])
        try manager.copyItem(atPath: "\(folder)/\(trusting).pem", toPath: "\(path)/ca.pem")
        try manager.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(path)/key.pem")
        return path
    }

    /// Runs the openssl command.
    @discardableResult
    package func openssl(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw TestFailure("openssl \(arguments.joined(separator: " ")): \(text)")
        }
        return text
    }
}

/// Something that a test needs did not work.
package struct TestFailure: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
