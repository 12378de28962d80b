// A cluster as Ganeti's tools write it to a text file and read it back (hscan, hbal -t).
//
// Five sections between single empty lines, columns between bars; htools.rst and the files themselves are the source:
//
//   groups      name|uuid|allocation policy|tags|networks
//   nodes       name|memory|node's own|free|disk|free disk|cores|role M N Y|group uuid|spindles|tags|exclusive
//               storage|free spindles|node's own CPUs|CPU speed                                    (MiB; 10 to 15)
//   instances   name|memory|disk|vCPUs|status|auto balance|primary|secondary|template|tags|spindle use|spindles
//                                                                                                  (MiB; 10 to 12)
//   tags of the cluster, one a line
//   instance policies: owner|standard|bounds|templates|vCPU ratio|spindle ratio              (may be missing)

package struct GanetiCluster: Hashable, Sendable {
    package struct Group: Hashable, Sendable {
        package var name: String
        package var uuid: String
    }

    package struct Node: Hashable, Sendable {
        package var name: String
        package var memoryMiB = 0
        /// Of the node's own system.
        package var ownMemoryMiB = 0
        package var freeMemoryMiB = 0
        package var diskMiB = 0
        package var freeDiskMiB = 0
        package var cores = 0
        package var isOffline = false
        /// Index in `groups`.
        package var group: Int
        package var spindles = 1
        package var ownCPUs = 1
        package var cpuSpeed = 1.0
    }

    package struct Instance: Hashable, Sendable {
        package var name: String
        package var memoryMiB: Int
        package var diskMiB: Int
        package var vcpus: Int
        /// Switched off for good: takes neither memory nor processors.
        package var isOffline: Bool
        /// Index in `nodes`.
        package var primary: Int
        package var secondary: Int?
        package var diskTemplate: String
        package var tags: [String]
        package var spindleUse: Int

        /// Its disks are not on its node: it may run on any.
        package var usesSharedStorage: Bool {
            ["ext", "rbd", "sharedfile", "blockdev", "gluster"].contains(diskTemplate)
        }
    }

    package struct Policy: Hashable, Sendable {
        package var vcpuRatio = 4.0
        package var spindleRatio = 32.0
    }

    package var groups: [Group] = []
    package var nodes: [Node] = []
    package var instances: [Instance] = []
    package var tags: [String] = []
    /// By group name; "" is the cluster's.
    package var policies: [String: Policy] = [:]

    package func instancePolicy(ofGroup group: Int) -> Policy {
        policies[groups[group].name] ?? policies[""] ?? Policy()
    }
}
