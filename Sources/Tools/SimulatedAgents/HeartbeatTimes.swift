// How heartbeats went.

/// Of the heartbeats since somebody last asked.
package struct HeartbeatTimes: Sendable {
    package internal(set) var latencies: [Duration] = []
    package internal(set) var failed = 0

    package init() {}
}
