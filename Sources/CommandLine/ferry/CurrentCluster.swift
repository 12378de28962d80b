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

    static func loadClusterFile(named option: String?) throws -> ClusterFile {
        if let file = option ?? ProcessInfo.processInfo.environment["FERRY_CLUSTER"] {
            return try ClusterFile(loading: absolutePath(for: file), relativeTo: currentFolder)
        }
        guard let current = try recordedCluster() else {
            throw CommandFailure(
                .refused, code: "no_cluster",
                message:
                    "no cluster: give --cluster FILE, set FERRY_CLUSTER, or run `ferry up` in this folder first"
            )
        }
        return try ClusterFile(loading: current.file, relativeTo: current.folder)
    }

    /// Nil when `ferry up` was not run in this folder.
    static func recordedCluster() throws -> CurrentCluster? {
        guard File.isPresent(at: recordPath) else { return nil }
        let bytes = try File.readContents(at: recordPath, limit: 64 << 10)
        return try JSONDecoder().decode(CurrentCluster.self, from: Data(bytes))
    }

    static func recordCluster(file: String) throws {
        let current = CurrentCluster(file: absolutePath(for: file), folder: currentFolder)
        try Folder.createFolder(at: "\(currentFolder)/.ferry", mode: 0o700)
        try AtomicFile.writeBytes(Array(encodedJSON(of: current).utf8), to: recordPath, mode: 0o600)
    }

    static func absolutePath(for path: String) -> String {
        path.hasPrefix("/") ? path : "\(currentFolder)/\(path)"
    }
}
