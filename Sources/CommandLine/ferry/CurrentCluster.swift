// Which cluster file a command means.

import ClusterFile
import Foundation
import Host

/// What `ferry up` writes down for the commands after it.
struct CurrentCluster: Codable {
    /// Absolute.
    var file: String
    /// The folder that relative paths of the file are relative to.
    var folder: String

    private static var recordPath: String { "\(currentFolder)/.ferry/current.json" }
    static var currentFolder: String { FileManager.default.currentDirectoryPath }

    static func find(_ option: String?) throws -> ClusterFile {
        if let file = option ?? ProcessInfo.processInfo.environment["FERRY_CLUSTER"] {
            return try ClusterFile(loading: absolute(file), relativeTo: currentFolder)
        }
        guard let current = try recorded() else {
            throw CommandFailure(
                .refused, code: "no_cluster",
                "no cluster: give --cluster FILE, set FERRY_CLUSTER, or run `ferry up` in this folder first"
            )
        }
        return try ClusterFile(loading: current.file, relativeTo: current.folder)
    }

    /// Nil when `ferry up` was not run in this folder.
    static func recorded() throws -> CurrentCluster? {
        guard File.isThere(recordPath) else { return nil }
        let bytes = try File.read(recordPath, limit: 64 << 10)
        return try JSONDecoder().decode(CurrentCluster.self, from: Data(bytes))
    }

    static func record(_ file: String) throws {
        let current = CurrentCluster(file: absolute(file), folder: currentFolder)
        try Folder.make("\(currentFolder)/.ferry", mode: 0o700)
        try AtomicFile.write(Array(jsonText(current).utf8), to: recordPath, mode: 0o600)
    }

    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(currentFolder)/\(path)"
    }
}
