// What is remembered of migrations away from this host: the newest, in memory and in STATE/migrations, one file each.
//
// A migration is written down when it begins and when it ends, so that an agent that starts again can tell how the
// earlier ones ended, and which of them its predecessor did not live to see end. No decision depends on these files:
// one that cannot be written or read costs the memory of it, and is logged.

package import API
import FoundationEssentials
import Host
package import Logging
package import Model

package actor MigrationHistory {
    private static let suffix = ".json"

    private let folder: String
    private let logger: Logger
    private let news: ReportNews
    private var infos: [MigrationID: MigrationInfo] = [:]
    /// Oldest first.
    private var order: [MigrationID] = []
    /// Ends, and what was learnt of them later, that no controller has heard of: by the number of the change.
    private var unreported: [MigrationID: UInt64] = [:]
    private var changes: UInt64 = 0

    package init(folder: String, logger: Logger, news: ReportNews) {
        self.folder = folder
        self.logger = logger
        self.news = news
    }

    package func info(_ id: MigrationID) -> MigrationInfo? { infos[id] }

    /// Newest first.
    package func list() -> [MigrationInfo] { order.reversed().compactMap { infos[$0] } }

    /// A migration begins. Returns when it is written down.
    func add(_ info: MigrationInfo) async {
        infos[info.id] = info
        order.append(info.id)
        await write(info)
        await forgetOldest()
    }

    /// Changes what is remembered of a migration; nothing when it is forgotten. Written down before it is shown:
    /// who has seen how it ended sees the same after a restart.
    func update(_ id: MigrationID, _ change: @Sendable (inout MigrationInfo) -> Void) async {
        guard var info = infos[id] else { return }
        change(&info)
        await write(info)
        // Another change may have come meanwhile.
        guard var latest = infos[id] else { return }
        change(&latest)
        infos[id] = latest
        guard latest.isOver else { return }
        changes += 1
        unreported[id] = changes
        news.ring()
    }

    /// Those that run, and of those that are over what nobody has heard of, the oldest news first.
    func report() -> (running: [MigrationInfo], over: [(MigrationInfo, change: UInt64)]) {
        let news = unreported.sorted { $0.value < $1.value }.prefix(Limits.reportedMigrationsMax)
        return (
            list().filter { !$0.isOver },
            news.compactMap { id, change in infos[id].map { ($0, change) } }
        )
    }

    /// A controller has heard of these; what has changed since is still news.
    func reported(_ news: [MigrationID: UInt64]) {
        for (id, change) in news where unreported[id] == change { unreported[id] = nil }
    }

    private func write(_ info: MigrationInfo) async {
        let (path, logger) = (path(info.id), logger)
        await onThread("history") {
            do {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
                try AtomicFile.write(Array(encoder.encode(info)), to: path, mode: 0o600)
            } catch {
                logger.warning(
                    "a migration will not be remembered after a restart",
                    metadata: ["migration": "\(info.id)", "error": "\(error)"])
            }
        }
    }

    private func path(_ id: MigrationID) -> String { "\(folder)/\(id)\(Self.suffix)" }

    private func forgetOldest() async {
        var forgotten: [String] = []
        while order.count > Limits.finishedMigrationsMax,
            let index = order.firstIndex(where: { infos[$0]?.isOver ?? true })
        {
            let id = order.remove(at: index)
            infos[id] = nil
            unreported[id] = nil
            forgotten.append(path(id))
        }
        if forgotten.isEmpty { return }
        let (paths, logger) = (forgotten, logger)
        await onThread("history") {
            for path in paths {
                do { try File.remove(path) } catch {
                    logger.warning("migration not forgotten", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    /// Reads what an earlier agent wrote. Call once, before anything is added.
    func load() async {
        let (folder, logger) = (folder, logger)
        let found = await onThread("history") { Self.read(folder, logger) }
        for info in found.sorted(by: { $0.startedAtMs < $1.startedAtMs }) {
            infos[info.id] = info
            order.append(info.id)
        }
        await forgetOldest()
    }

    private static func read(_ folder: String, _ logger: Logger) -> [MigrationInfo] {
        do {
            return try Folder.names(in: folder).compactMap { name in
                let path = "\(folder)/\(name)"
                guard name.hasSuffix(suffix) else {
                    // A draft of an agent that ended while it wrote.
                    try File.remove(path)
                    return nil
                }
                return info(at: path, logger)
            }
        } catch {
            logger.warning("earlier migrations are forgotten", metadata: ["error": "\(error)"])
            return []
        }
    }

    private static func info(at path: String, _ logger: Logger) -> MigrationInfo? {
        do {
            let bytes = try File.read(path, limit: Limits.recordBytesMax)
            return try JSONDecoder().decode(MigrationInfo.self, from: Data(bytes))
        } catch {
            logger.warning(
                "a migration cannot be remembered",
                metadata: ["file": "\(path)", "error": "\(error)"])
            return nil
        }
    }
}
