// Control messages spoken by hand: a peer that does what a test says, also what it must not do.

import Host
package import Migration
package import MigrationProtocol
package import Model
package import PeerLink

extension PeerConnection {
    package func sendMessage(_ message: PeerMessage) throws { try sendBytes(message.bytes) }

    package func receiveAnyMessage() throws -> PeerMessage {
        let header = try PeerMessageHeader(try receiveBytes(count: PeerMessageHeader.bytes))
        return try PeerMessage(kind: header.kind, body: try receiveBytes(count: header.bodyBytes))
    }
}

/// Connects as a source would, up to the welcome.
package func dial(
    _ address: PeerAddress, _ keys: PeerKeys, _ purpose: ConnectionPurpose,
    versions: ClosedRange<UInt16> = 2...2
) throws -> (connection: PeerConnection, reply: PeerMessage) {
    let connection = try PeerConnection.openConnection(
        to: address.address, expecting: .agent(address.name), keys: keys, within: .seconds(5),
        silenceMax: .seconds(10), interruptedBy: Wakeup())
    try connection.sendMessage(.hello(versions: versions, purpose))
    return (connection, try connection.receiveAnyMessage())
}

/// An offer of a small VM.
package func sampleOffer(
    vm: VMID = .random(), memory: ByteCount = .mebibytes(16), streams: Int = 1
) throws -> MigrationOffer {
    MigrationOffer(
        migration: .random(), vm: vm, epoch: .first,
        spec: VMSpec(name: try VMName("guest"), memory: memory), cpuFeatures: CPUFeatures([]),
        streams: streams, hashSeed: 1)
}

/// The mark of the end of a round, as the first frame of a stream.
package func endOfRound(_ round: UInt8) -> [UInt8] {
    [0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, round, 0, 0, 0]
}
