import Faults
import Model
import Testing

@Suite("The matrix of faults")
struct MatrixTests {
    @Test("has at least 200 scenarios, each with a name of its own, in every phase")
    func whole() {
        let all = Matrix.all
        #expect(all.count >= 200)
        #expect(Set(all.map(\.name)).count == all.count)
        #expect(Set(all.map(\.phase)) == Set(MigrationPhase.allCases))
        #expect(Set(all.map(\.fault.kind)) == Set(FaultKind.allCases))
    }

    @Test("the short one has 40, of every kind that needs no root, in every phase")
    func short() {
        let short = Matrix.short
        #expect(short.count == 40)
        #expect(Set(short.map(\.name)).count == 40)
        #expect(Set(short.map(\.phase)) == Set(MigrationPhase.allCases))
        #expect(Set(short.map(\.fault.kind)) == Set(FaultKind.allCases).subtracting([.shortage]))
    }

    @Test("a seed decides the order, and a pattern what runs")
    func selection() throws {
        let one = try Selection(only: "^handover", repeats: 2, seed: 7).scenarios
        let two = try Selection(only: "^handover", repeats: 2, seed: 7).scenarios
        let other = try Selection(only: "^handover", repeats: 2, seed: 8).scenarios
        #expect(one == two)
        #expect(one != other)
        #expect(one.allSatisfy { $0.phase == .handover })
        #expect(one.count == 2 * Set(one).count)
    }
}
