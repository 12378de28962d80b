// Where real traces are on a developer's machine: tests that need them are skipped where they are not.

import Foundation
import Host
import Testing

enum RealTraces {
    /// The folder named by FERRY_TRACES, else `shared/traces` beside the package.
    static let folder: String = {
        if let named = ProcessInfo.processInfo.environment["FERRY_TRACES"] { return named }
        let package = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/\(package)/../shared/traces"
    }()

    static func path(_ name: String) -> String { "\(folder)/\(name)" }

    static func isThere(_ name: String) -> Bool {
        Folder.isPresent(at: path(name)) || File.isPresent(at: path(name))
    }
}

extension Trait where Self == ConditionTrait {
    /// Runs only where this real trace is.
    static func needs(_ trace: String) -> ConditionTrait {
        .enabled(
            if: RealTraces.isThere(trace), "no \(trace) in \(RealTraces.folder); set FERRY_TRACES")
    }
}
