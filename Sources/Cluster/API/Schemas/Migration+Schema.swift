// The descriptions of migrations.

import Model

extension StartMigration: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A migration to start.",
        fields: [
            "vm": "The VM.",
            "to": "The destination.",
            "downtimeLimitMs": .measure(
                "The longest permitted downtime, in milliseconds. Default: the limit of the VM."),
            "streams": .integer(
                "The number of data connections.", in: 1...Int64(Limits.streamsMax)),
            "compression": "The compression of pages.",
            "rehearse":
                "Do everything except the handover: the VM stays on the source. Default: false.",
            "audit": "Run the post-migration verification. Default: true.",
            "id":
                "The identifier of the migration, chosen by the client, so that a repeated request starts one migration.",
            "peerAddress":
                "IP:PORT where the destination accepts migrations. Default: the address in the cluster file of the source.",
        ])
}

extension MigrationList: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "Migrations from a host.", fields: ["migrations": .list("In order.", of: "A migration.")])
}

extension MigrationInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A migration as its source reports it.",
        fields: [
            "id": "The identifier of the migration.",
            "vm": "The name of the VM.",
            "vmID": "The identifier of the VM.",
            "source": "The source.",
            "destination": "The destination.",
            "startedAtMs": .timestamp("The time of the start"),
            "state": "The state of the migration.",
            "progress": "The progress of a running migration.",
            "report": "The measurements of a successful migration.",
            "failure": "Why the migration failed.",
        ])
}

extension FailureInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "Why a migration failed.",
        fields: [
            "code": "A stable code for programs. New codes may be added.",
            "phase": "The phase in which the migration ended.",
            "message": "What happened, and where the VM is now.",
            "reason": "What happened.",
            "aftermath": "Where the VM is now.",
            "details": .list(
                "What is missing or wrong, item by item.", of: "For example a CPU feature."),
            "vmIsRunning": "The VM runs on the source.",
        ])
}

extension ProgressInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The progress of a migration.",
        fields: [
            "phase": "The current phase.",
            "round": .count("The pre-copy round."),
            "elapsedMs": .measure("Milliseconds since the start."),
            "remainingBytes": "Bytes that are still to be sent in this round.",
            "memoryBytes": "The memory of the VM.",
            "dirtyPagesPerSecond": .measure("The dirty rate."),
            "wireBytesPerSecond": .measure("The throughput."),
            "wireBytes": "Bytes sent.",
            "predictedDowntimeMs": .measure("The downtime if the handover happened now."),
            "throttlePercent": .integer(
                "Auto-converge: how much the vCPUs are throttled.", in: 0...100),
            "reconnectAttempt": .count(
                "The connection is lost; the number of the attempt to reconnect."),
        ])
}

extension ReportInfo.Phase: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A phase of a migration.", name: "PhaseTime",
        fields: [
            "phase": "The phase.",
            "durationMs": .measure("The duration in milliseconds."),
            "isDowntime": "The guest is paused in this phase.",
        ])
}

extension ReportInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The measurements of a migration.",
        fields: [
            "totalMs": .measure("Milliseconds from start to end."),
            "downtimeMs": .measure("Milliseconds from pause to resume."),
            "predictedDowntimeMs": .measure("The downtime that was predicted at the handover."),
            "phases": .list("The phases in order.", of: "A phase."),
            "rounds": .count("The number of pre-copy rounds."),
            "wireBytes": "Bytes sent.",
            "pageBytesSent": "Bytes of pages sent.",
            "pagesSent": "Pages sent.",
            "zeroPages": "Pages that contain only zeros.",
            "unchangedPages": "Pages that the destination had already.",
            "reconnects": .count("The number of lost and re-established connections."),
            "bytesSentAgain": "Guest bytes that were sent again after a lost connection.",
            "streams": .count("The number of data connections."),
            "compression": "The compression of pages.",
            "compressionRatio": .measure("Guest bytes divided by sent bytes."),
            "verifiedPages": "Pages that were compared by hash.",
            "memoryRoot": "The memory digest: a hash over all pages.",
            "audit":
                "The post-migration verification. It continues after the migration has ended.",
            "rehearsal": "The result of a rehearsal.",
        ])
}

extension VerificationInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The post-migration verification: the memory that the VM left at the source is compared again.",
        fields: [
            "state": "The state of the verification.",
            "pages": "Pages compared.",
            "durationMs": .measure("The duration in milliseconds."),
            "differing": "Pages of which the destination has an old copy.",
            "differingPages": .list("The first of these pages.", of: "The number of a page."),
        ])
}

extension RehearsalInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The result of a rehearsal.",
        fields: [
            "pauseMs": .measure("The one pause of the VM, in milliseconds."),
            "loadMs": .measure("The time to load the state at the destination, in milliseconds."),
            "stateBytes": .count("The size of the state of devices and CPUs."),
            "downtimeLowerMs": .measure("The lower bound of the predicted downtime."),
            "downtimeMs": .measure("The predicted downtime."),
            "downtimeUpperMs": .measure("The upper bound of the predicted downtime."),
            "downtimeLimitMs": .measure("The downtime limit of the VM."),
            "dirtyPagesPerSecond": .measure("The dirty rate."),
            "wireBytesPerSecond": .measure("The throughput of the link."),
            "wouldThrottle": "Auto-converge would throttle the vCPUs.",
        ])
}
