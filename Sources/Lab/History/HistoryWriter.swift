// Writes a history: only ever at its end, each line with one call, so that whoever reads finds whole lines and at most
// one that was cut off.

import Glibc
package import Host
package import Model
package import Traces

package enum HistoryWriteError: Error {
    case system(SystemError)
    /// Another recorder writes it.
    case taken(file: String)
    /// The file is there and is no history.
    case notAHistory(TraceError)
    /// The file is the history of another cluster.
    case otherCluster(file: String, of: ClusterName)
    case notWritable(String)
}

extension HistoryWriteError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .taken(let file): "\(file) is being written by another `ferry record`"
        case .notAHistory(let error): "this is no history that could be gone on with: \(error)"
        case .otherCluster(let file, let cluster):
            "\(file) is the history of cluster \(cluster): choose another file"
        case .notWritable(let why): "a line cannot be written: \(why)"
        }
    }
}

package struct HistoryWriter {
    private let file: Descriptor
    /// What is in the file, whoever wrote it.
    package private(set) var recordedState = HistoryState()
    package private(set) var header: HistoryHeader
    /// Of the last line.
    package private(set) var lastTime: Int64 = 0
    /// Written by this writer.
    package private(set) var lines = 0
    package private(set) var bytes = 0
    /// The file was there, and is gone on with.
    package private(set) var continues = false
    /// What a killed recorder had left of its last line; it was cut away.
    package private(set) var cutOffBytes = 0

    /// Makes a history with this header, or goes on with one of the same cluster, whose header stays.
    package init(path: String, header: HistoryHeader) throws(HistoryWriteError) {
        self.header = header
        do throws(SystemError) {
            file = try Descriptor.openFile(
                at: path, flags: O_RDWR | O_CREAT | O_APPEND, mode: 0o644)
            try file.lockExclusively()
        } catch { throw error.code == EWOULDBLOCK ? .taken(file: path) : .system(error) }
        let size: Int
        do throws(SystemError) { size = try file.sizeInBytes() } catch { throw .system(error) }
        if size > 0 { try continueFile(at: path, ofCluster: header.cluster) }
        if !continues { try writeEntry(HistoryEntry(t: 0, line: .begin(header))) }
    }

    private mutating func continueFile(
        at path: String, ofCluster cluster: ClusterName
    ) throws(HistoryWriteError) {
        let wholeBytes: Int
        do throws(TraceError) {
            var lines = try HistoryLines(path)
            while let entry = try lines.readNextEntry() {
                recordedState.applyLine(entry.line)
                lastTime = entry.t
                if let header = lines.header { self.header = header }
            }
            wholeBytes = lines.wholeBytes
            cutOffBytes = lines.cutOffBytes
        } catch { throw .notAHistory(error) }
        guard header.cluster == cluster else {
            throw .otherCluster(file: path, of: header.cluster)
        }
        continues = true
        guard cutOffBytes > 0 else { return }
        do throws(SystemError) { try file.truncateFile(toBytes: wholeBytes) } catch {
            throw .system(error)
        }
    }

    /// Writes a line. Its time is at least that of the line before it.
    package mutating func writeEntry(_ entry: HistoryEntry) throws(HistoryWriteError) {
        let entry = HistoryEntry(t: max(entry.t, lastTime), line: entry.line)
        if let fault = entry.fault {
            // What cannot be read again is not written.
            throw .notWritable("\(fault.field) is \(fault.found), not \(fault.expected)")
        }
        let line = try entry.encodedLine()
        do throws(SystemError) { try file.writeAllBytes(line) } catch { throw .system(error) }
        recordedState.applyLine(entry.line)
        lastTime = entry.t
        lines += 1
        bytes += line.count
    }

    package mutating func markAsRecorded(_ move: RecordedMove) {
        recordedState.markAsRecorded(move)
    }

    /// All that was written is on the disk.
    package func flushToDisk() throws(HistoryWriteError) {
        do throws(SystemError) { try file.flushToDisk() } catch { throw .system(error) }
    }
}
