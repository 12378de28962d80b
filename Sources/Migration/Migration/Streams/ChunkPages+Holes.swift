// Which pages of a chunk are not holes in the memory's file.

import Host
import Model
import PageCodec

extension ChunkPages {
    /// Nil if holes are not requested or cannot be determined: a file system that cannot report holes is asked once.
    init?(chunk: Int, pageCount: Int, holes: inout HoleFinder?) {
        guard holes != nil else { return nil }
        let first = chunk * PageCodec.Limits.chunkPages
        let end = min(first + PageCodec.Limits.chunkPages, pageCount)
        var rest = (first * pageBytes)..<(end * pageBytes)
        self.init()
        do {
            while let data = try holes?.firstData(in: rest) {
                let from = data.lowerBound / pageBytes - first
                let to = (data.upperBound + pageBytes - 1) / pageBytes - first
                insertPages(in: from..<to)
                if data.upperBound >= rest.upperBound { break }
                rest = data.upperBound..<rest.upperBound
            }
        } catch {
            holes = nil
            return nil
        }
    }
}
