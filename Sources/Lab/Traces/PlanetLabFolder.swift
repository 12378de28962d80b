// A day of the PlanetLab CPU traces: a folder with one file for each VM.
//
// A file holds 288 lines, each a whole number from 0 to 100: the percent of its CPU that the VM used, read every five
// minutes (CoMon project, 2011; packaged by Beloglazov and Buyya). The order of VMs decides results, because types are
// dealt out and hosts are filled in that order: it is the order of UPPER-CASED names by bytes, in which the file system
// of the published experiment listed them.

import Glibc
import Host

/// What VMs used of their CPU over a day.
package struct PlanetLabDay: Hashable, Sendable {
    package static let samplesPerVM = 288
    package static let secondsPerSample = 300

    /// The folder's name.
    package let name: String
    /// In the order of the experiment.
    package let vmNames: [String]
    /// Percent, 0 to 100: all samples of the first VM, then those of the second, and so on.
    package let samples: [UInt8]

    /// For days that are made up. Bytes from outside come through `PlanetLabFolder`, which checks them.
    package init(name: String, vmNames: [String], samples: [UInt8]) {
        precondition(
            samples.count == vmNames.count * Self.samplesPerVM && samples.allSatisfy { $0 <= 100 },
            "288 samples a VM, none above 100")
        self.name = name
        self.vmNames = vmNames
        self.samples = samples
    }

    package func usageSamples(ofVM vm: Int) -> ArraySlice<UInt8> {
        samples[vm * Self.samplesPerVM..<(vm + 1) * Self.samplesPerVM]
    }
}

package enum PlanetLabFolder {
    private static let vmsMax = 1 << 16
    /// Three digits, a carriage return and a line feed each, and some room.
    private static let fileBytesMax = PlanetLabDay.samplesPerVM * 8

    package static func readTraceDay(inFolder path: String) throws(TraceError) -> PlanetLabDay {
        let folder = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        let names = try readVMNames(inFolder: folder)
        var samples: [UInt8] = []
        samples.reserveCapacity(names.count * PlanetLabDay.samplesPerVM)
        for name in names { try readSampleFile(at: folder + "/" + name, into: &samples) }
        return PlanetLabDay(name: lastComponent(ofPath: folder), vmNames: names, samples: samples)
    }

    /// The experiment's order of names. Two that differ in case alone go by their own bytes.
    package static func isOrdered(_ left: String, before right: String) -> Bool {
        let (upperLeft, upperRight) = (
            left.utf8.map(asciiUppercased), right.utf8.map(asciiUppercased)
        )
        return upperLeft == upperRight
            ? left.utf8.lexicographicallyPrecedes(right.utf8)
            : upperLeft.lexicographicallyPrecedes(upperRight)
    }

    private static func asciiUppercased(_ byte: UInt8) -> UInt8 {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte ? byte - 32 : byte
    }

    private static func readVMNames(inFolder folder: String) throws(TraceError) -> [String] {
        var names: [String]
        do { names = try Folder.entryNames(at: folder) } catch {
            throw .unreadable(file: folder, error)
        }
        guard names.count <= vmsMax else {
            throw .tooLarge(file: folder, limit: vmsMax, of: "files")
        }
        guard !names.isEmpty else {
            throw .malformed(TracePlace(folder), expected: "one file for each VM", found: "")
        }
        names.sort(by: isOrdered)
        return names
    }

    private static func readSampleFile(
        at path: String, into samples: inout [UInt8]
    ) throws(TraceError) {
        guard isPlainFile(at: path) else {
            throw .malformed(
                TracePlace(path), expected: "a file with 288 numbers",
                found: Folder.isPresent(at: path) ? "a folder" : "what is no plain file")
        }
        let bytes: [UInt8]
        do { bytes = try File.readContents(at: path, limit: fileBytesMax) } catch {
            if error.code == EFBIG {
                throw .tooLarge(file: path, limit: PlanetLabDay.samplesPerVM, of: "samples")
            }
            throw .unreadable(file: path, error)
        }
        try parseSamples(in: bytes, path: path, into: &samples)
    }

    /// True for what cannot be looked at too: opening it then says why.
    private static func isPlainFile(at path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
    }

    private static func parseSamples(
        in bytes: [UInt8], path: String, into samples: inout [UInt8]
    ) throws(TraceError) {
        var line = 0
        var rest = bytes[...]
        while !rest.isEmpty {
            line += 1
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            var text = rest[..<end]
            if text.last == UInt8(ascii: "\r") { text.removeLast() }
            guard line <= PlanetLabDay.samplesPerVM else {
                throw malformed(
                    path: path, line: line, expected: "the end of the file after 288 lines",
                    found: text)
            }
            guard let value = parsePercent(from: text) else {
                throw malformed(
                    path: path, line: line, expected: "a whole number from 0 to 100", found: text)
            }
            samples.append(value)
            rest = bytes[min(end + 1, bytes.endIndex)...]
        }
        guard line == PlanetLabDay.samplesPerVM else {
            throw malformed(
                path: path, line: line + 1, expected: "288 lines with a number each",
                found: Array("the end of the file".utf8)[...])
        }
    }

    private static func parsePercent(from text: ArraySlice<UInt8>) -> UInt8? {
        guard 1...3 ~= text.count else { return nil }
        var value = 0
        for byte in text {
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value <= 100 ? UInt8(value) : nil
    }

    private static func malformed(
        path: String, line: Int, expected: String, found: ArraySlice<UInt8>
    ) -> TraceError {
        .malformed(
            TracePlace(path, line: line, field: "cpu"), expected: expected,
            found: String(decoding: found.prefix(24), as: UTF8.self))
    }

    private static func lastComponent(ofPath path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }
}
