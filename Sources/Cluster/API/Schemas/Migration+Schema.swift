// The descriptions of migrations.

import Model

extension StartMigration: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A migration to start.",
        fields: [
            "vm": "The VM.",
            "to": "The destination.",
            "downtimeLimitMs": .nonNegativeNumber(
                description:
                    "The longest permitted downtime, in milliseconds. Default: the limit of the VM."
            ),
            "streams": .boundedInteger(
                description: "The number of data connections.", range: 1...Int64(Limits.streamsMax)),
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
        "Migrations from a host.",
        fields: ["migrations": .uniformList(description: "In order.", element: "A migration.")])
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
            "startedAtMs": .timestamp(description: "The time of the start"),
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
            "details": .uniformList(
                description: "What is missing or wrong, item by item.",
                element: "For example a CPU feature."),
            "vmIsRunning": "The VM runs on the source.",
        ])
}

extension ProgressInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The progress of a migration.",
        fields: [
            "phase": "The current phase.",
            "round": .unsignedInteger(description: "The pre-copy round."),
            "elapsedMs": .nonNegativeNumber(description: "Milliseconds since the start."),
            "remainingBytes": "Bytes that are still to be sent in this round.",
            "memoryBytes": "The memory of the VM.",
            "dirtyPagesPerSecond": .nonNegativeNumber(description: "The dirty rate."),
            "wireBytesPerSecond": .nonNegativeNumber(description: "The throughput."),
            "wireBytes": "Bytes sent.",
            "predictedDowntimeMs": .nonNegativeNumber(
                description: "The downtime if the handover happened now."),
            "throttlePercent": .boundedInteger(
                description: "Auto-converge: how much the vCPUs are throttled.", range: 0...100),
            "reconnectAttempt": .unsignedInteger(
                description: "The connection is lost; the number of the attempt to reconnect."),
        ])
}

extension ReportInfo.Phase: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A phase of a migration.", name: "PhaseTime",
        fields: [
            "phase": "The phase.",
            "durationMs": .nonNegativeNumber(description: "The duration in milliseconds."),
            "isDowntime": "The guest is paused in this phase.",
        ])
}

extension ReportInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The measurements of a migration.",
        fields: [
            "totalMs": .nonNegativeNumber(description: "Milliseconds from start to end."),
            "downtimeMs": .nonNegativeNumber(description: "Milliseconds from pause to resume."),
            "predictedDowntimeMs": .nonNegativeNumber(
                description: "The downtime that was predicted at the handover."),
            "phases": .uniformList(description: "The phases in order.", element: "A phase."),
            "rounds": .unsignedInteger(description: "The number of pre-copy rounds."),
            "wireBytes": "Bytes sent.",
            "pageBytesSent": "Bytes of pages sent.",
            "pagesSent": "Pages sent.",
            "zeroPages": "Pages that contain only zeros.",
            "unchangedPages": "Pages that the destination had already.",
            "reconnects": .unsignedInteger(
                description: "The number of lost and re-established connections."),
            "bytesSentAgain": "Guest bytes that were sent again after a lost connection.",
            "streams": .unsignedInteger(description: "The number of data connections."),
            "compression": "The compression of pages.",
            "compressionRatio": .nonNegativeNumber(
                description: "Guest bytes divided by sent bytes."),
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
            "durationMs": .nonNegativeNumber(description: "The duration in milliseconds."),
            "differing": "Pages of which the destination has an old copy.",
            "differingPages": .uniformList(
                description: "The first of these pages.", element: "The number of a page."),
        ])
}

extension RehearsalInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The result of a rehearsal.",
        fields: [
            "pauseMs": .nonNegativeNumber(description: "The one pause of the VM, in milliseconds."),
            "loadMs": .nonNegativeNumber(
                description: "The time to load the state at the destination, in milliseconds."),
            "stateBytes": .unsignedInteger(
                description: "The size of the state of devices and CPUs."),
            "downtimeLowerMs": .nonNegativeNumber(
                description: "The lower bound of the predicted downtime."),
            "downtimeMs": .nonNegativeNumber(description: "The predicted downtime."),
            "downtimeUpperMs": .nonNegativeNumber(
                description: "The upper bound of the predicted downtime."),
            "downtimeLimitMs": .nonNegativeNumber(description: "The downtime limit of the VM."),
            "dirtyPagesPerSecond": .nonNegativeNumber(description: "The dirty rate."),
            "wireBytesPerSecond": .nonNegativeNumber(description: "The throughput of the link."),
            "wouldThrottle": "Auto-converge would throttle the vCPUs.",
        ])
}
