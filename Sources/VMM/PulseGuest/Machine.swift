import Synchronization

/// What all CPUs share: the set-up, fixed before the others start, and the few words that CPU 0
/// changes later.
struct Machine: ~Copyable {
    let options: Options
    let memory: Memory
    let content: Content
    let clock: Clock
    let fillPages: UInt64
    let workingSetPages: UInt64
    /// One a page; the top bit says that the page was found wrong and counted. An entry belongs to
    /// its page's CPU.
    let versions: UnsafeMutablePointer<UInt32>
    let shares: UnsafeMutablePointer<Share>
    /// A page and a little more for each CPU, `scratchStride` apart.
    let scratch: UnsafeMutableRawPointer
    /// The CPUs besides CPU 0.
    let others: ProcessorTable
    let cpuCount: UInt64

    /// Pages a second over all CPUs.
    let rate: Atomic<UInt64>
    let isWriting = Atomic<Bool>(true)
    /// How many verifications were asked for.
    let verifications = Atomic<UInt64>(0)
    /// Set once `ready` is out: the others wait for it.
    let hasBegun = Atomic<Bool>(false)

    static let wrongBit: UInt32 = 1 << 31
    static let scratchStride: UInt64 = 8192

    func scratchPage(ofCPU index: Int) -> Content.Page {
        (scratch + index * Int(Machine.scratchStride)).assumingMemoryBound(to: UInt64.self)
    }
}

/// What one CPU tells CPU 0.
struct Share: ~Copyable {
    let isPresent = Atomic<Bool>(false)
    let hasFilled = Atomic<Bool>(false)
    let written = Atomic<UInt64>(0)
    let checked = Atomic<UInt64>(0)
    let errors = Atomic<UInt64>(0)
    /// How many verifications this CPU has finished, and what the last one found.
    let verifications = Atomic<UInt64>(0)
    let verifiedErrors = Atomic<UInt64>(0)
    /// The details of the first wrong pages, complete up to `errors`.
    let details: UnsafeMutablePointer<WrongPage>
}

/// A page that does not hold what its number and version say.
struct WrongPage {
    static let detailsMax = 16

    var page: UInt64
    var version: UInt32
    var offset: UInt64
}

extension Atomic where Value == UInt64 {
    /// For counters with one writer.
    func incrementCounter(amount: UInt64 = 1) {
        store(load(ordering: .relaxed) &+ amount, ordering: .releasing)
    }
}
