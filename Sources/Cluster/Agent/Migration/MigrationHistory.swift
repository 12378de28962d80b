// The history of migrations away from this host: the newest, in memory and in STATE/migrations, one file each.
//
// A migration is written when it begins and when it ends, so that an agent that starts again can report how the earlier
// ones ended, and which of them the agent before did not see end. No decision depends on these files: a file that cannot
// be written or read is logged, and the migration is missing from the history.

package import API
import FoundationEssentials
import Host
package import Logging
package import Model

/// Ended migrations that no controller has received, each with the number of its last change.
package struct MigrationNews: Sendable {
    fileprivate let entries: [(info: MigrationInfo, change: UInt64)]

    var infos: [MigrationInfo] { entries.map(\.info) }
}

package actor MigrationHistory {
    private static let suffix = ".json"

    private let folder: String
    private let logger: Logger
    private let news: ReportSignal
    private var infos: [MigrationID: MigrationInfo] = [:]
    /// Oldest first.
    private var order: [MigrationID] = []
    /// The ended migrations whose last change no controller has received, by the number of the change.
    private var unreported: [MigrationID: UInt64] = [:]
    private var changes: UInt64 = 0

    package init(folder: String, logger: Logger, news: ReportSignal) {
        self.folder = folder
        self.logger = logger
        self.news = news
    }

    package func migrationInfo(withID id: MigrationID) -> MigrationInfo? { infos[id] }

    package func newestFirst() -> [MigrationInfo] { order.reversed().compactMap { infos[$0] } }

    /// A migration begins. Returns when it is written.
    func addMigration(_ info: MigrationInfo) async {
        infos[info.id] = info
        order.append(info.id)
        await writeHistoryFile(for: info)
        await removeOldest()
    }

    /// Changes the entry of a migration, if there is one. The change is written before it becomes visible: what a
    /// client has seen is the same after a restart.
    func updateMigration(
        withID id: MigrationID, change: @Sendable (inout MigrationInfo) -> Void
    ) async {
        guard var info = infos[id] else { return }
        change(&info)
        await writeHistoryFile(for: info)
        // The entry may have been changed meanwhile.
        guard var latest = infos[id] else { return }
        change(&latest)
        infos[id] = latest
        guard latest.isOver else { return }
        changes += 1
        unreported[id] = changes
        news.requestReport()
    }

    // MARK: Reports to controllers

    /// The migrations that run, and the news of those that are over, oldest first.
    func makeReport() -> (running: [MigrationInfo], news: MigrationNews) {
        let oldest = unreported.sorted { $0.value < $1.value }.prefix(Limits.reportedMigrationsMax)
        return (
            newestFirst().filter { !$0.isOver },
            MigrationNews(
                entries: oldest.compactMap { id, change in
                    infos[id].map { (info: $0, change: change) }
                })
        )
    }

    /// A controller has received this news. What has changed since is still news.
    func confirmDelivery(of news: MigrationNews) {
        for (info, change) in news.entries where unreported[info.id] == change {
            unreported[info.id] = nil
        }
    }

    // MARK: Files

    private func writeHistoryFile(for info: MigrationInfo) async {
        let (path, logger) = (historyFilePath(of: info.id), logger)
        await runOnThread(named: "history") {
            do {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
                try AtomicFile.writeBytes(Array(encoder.encode(info)), to: path, mode: 0o600)
            } catch {
                logger.warning(
                    "a migration will be missing from the history after a restart",
                    metadata: ["migration": "\(info.id)", "error": "\(error)"])
            }
        }
    }

    private func historyFilePath(of id: MigrationID) -> String { "\(folder)/\(id)\(Self.suffix)" }

    private func removeOldest() async {
        var paths: [String] = []
        while order.count > Limits.finishedMigrationsMax,
            let index = order.firstIndex(where: { infos[$0]?.isOver ?? true })
        {
            let id = order.remove(at: index)
            infos[id] = nil
            unreported[id] = nil
            paths.append(historyFilePath(of: id))
        }
        if paths.isEmpty { return }
        let (removed, logger) = (paths, logger)
        await runOnThread(named: "history") {
            for path in removed {
                do { try File.removeIfPresent(at: path) } catch {
                    logger.warning(
                        "an old migration's file is left behind", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    /// Reads the files of earlier agents. Call once, before anything is added.
    func loadStoredMigrations() async {
        let (folder, logger) = (folder, logger)
        let found = await runOnThread(named: "history") {
            Self.readStoredMigrations(folder: folder, loggingTo: logger)
        }
        for info in found.sorted(by: { $0.startedAtMs < $1.startedAtMs }) {
            infos[info.id] = info
            order.append(info.id)
        }
        await removeOldest()
    }

    private static func readStoredMigrations(folder: String, loggingTo logger: Logger)
        -> [MigrationInfo]
    {
        do {
            return try Folder.entryNames(at: folder).compactMap { name in
                let path = "\(folder)/\(name)"
                guard name.hasSuffix(suffix) else {
                    // A draft of an agent that ended while it wrote.
                    try File.removeIfPresent(at: path)
                    return nil
                }
                return readMigrationInfo(at: path, loggingTo: logger)
            }
        } catch {
            logger.warning(
                "the history of migrations cannot be read", metadata: ["error": "\(error)"])
            return []
        }
    }

    private static func readMigrationInfo(at path: String, loggingTo logger: Logger)
        -> MigrationInfo?
    {
        do {
            let bytes = try File.readContents(at: path, limit: Limits.recordBytesMax)
            return try JSONDecoder().decode(MigrationInfo.self, from: Data(bytes))
        } catch {
            logger.warning(
                "a migration cannot be read from the history",
                metadata: ["file": "\(path)", "error": "\(error)"])
            return nil
        }
    }
}
