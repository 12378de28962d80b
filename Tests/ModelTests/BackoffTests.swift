import Model
import Testing

@Suite("Backoff")
struct BackoffTests {
    @Test(
        "Each pause is twice the one before it, up to the longest, and the first again after a success"
    )
    func pauses() {
        var backoff = Backoff(first: .seconds(1), longest: .seconds(5))
        #expect((0..<5).map { _ in backoff.nextPause() } == [1, 2, 4, 5, 5].map { .seconds($0) })
        backoff.resetFailures()
        #expect(backoff.nextPause() == .seconds(1))
    }

    @Test("The pause after any number of failures is at most the longest")
    func manyFailures() {
        let backoff = Backoff(first: .milliseconds(250), longest: .seconds(5))
        #expect(backoff.pauseDuration(afterFailures: 1) == .milliseconds(250))
        #expect(backoff.pauseDuration(afterFailures: .max) == .seconds(5))
    }
}
