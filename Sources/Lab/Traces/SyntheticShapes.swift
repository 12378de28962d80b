// What VMs ask for in generated workloads.

import Placement

struct SyntheticShapes {
    private let shapes: [Resources]
    private let weights: [Double]

    /// Azure's 2017 trace (github.com/Azure/AzurePublicDataset, CC-BY 4.0; Cortez et al., SOSP 2017): vCPUs, GiB and shares
    /// of the 259,159 VMs of a part of three and a half days; shapes below 1 in 10,000 are left out.
    static let azure = SyntheticShapes([
        (1, 1.75, 0.6036), (2, 3.5, 0.1852), (4, 7, 0.0992), (8, 14, 0.0900), (1, 0.75, 0.0159),
        (8, 56, 0.0055), (4, 28, 0.0002), (2, 14, 0.0002),
    ])

    private init(_ table: [(vcpus: Int, gibibytes: Double, share: Double)]) {
        shapes = table.map {
            Resources(
                milliCPUs: $0.vcpus * 1000, memoryBytes: Int($0.gibibytes * Double(1 << 30)))
        }
        weights = table.map(\.share)
    }

    func drawShape(using variates: inout Variates) -> Resources {
        shapes[variates.drawIndex(weights: weights)]
    }
}
