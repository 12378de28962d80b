// The chapter on traces shows what the code does.

import Foundation
import Placement
import Simulation
import Testing
import Traces

@Suite("Documentation of traces")
struct DocumentationTests {
    private let chapter: String

    init() throws {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        chapter = try String(
            contentsOf: package.appending(path: "Sources/Ferry.docc/Lab/Traces.md"),
            encoding: .utf8)
    }

    @Test func `Every format and every synthetic workload is in it`() {
        for format in TraceFormat.allCases {
            #expect(chapter.contains("| `\(format.rawValue)` |"))
        }
        for workload in SyntheticWorkload.allCases {
            #expect(chapter.contains("\n`\(workload.rawValue)`\n: "))
        }
    }

    @Test func `Its example of Ferry's own trace can be read`() throws {
        let blocks = chapter.components(separatedBy: "```csv ").dropFirst()
        let folder = try TraceFolder()
        for block in blocks {
            let lines = block.components(separatedBy: "\n```")[0]
            let parts = lines.split(separator: "\n", maxSplits: 1).map(String.init)
            try folder.write([parts[0]: parts[1] + "\n"])
        }
        let workload = try TraceReader.readWorkload(path: folder.path)
        #expect(workload.requests.count == 3 && workload.hosts.count == 2)
        #expect(workload.utilisation.series.count == 2)
        #expect(workload.groups.map(\.name) == ["web"])
    }
}
