// A folder that goes with its owner.

import Host

package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        path = "/tmp/ferry-test-\(UInt64.random(in: .min ... .max))"
        try Folder.createFolder(at: path, mode: 0o700)
    }

    deinit {
        // One that stays behind in /tmp is no failure of a test.
        try? Folder.removeRecursively(at: path)
    }
}
