// What is foretold from the VMs that have ended, and that nothing but the past decides it.

import Model
import Placement
import Testing

@Suite("Departures foretold")
struct DepartureForecastTests {
    private struct Life {
        var born: Int
        var ends: Int
        var kind: Int32
    }

    /// Runs lives through a forecast up to a moment; the expected departure of a VM at each moment that is asked about.
    private func foretold(_ lives: [Life], asked: [Int: Int]) throws -> [Int: Int] {
        var cluster = ClusterState()
        try cluster.registerHost(host("h", cores: 1000, memory: 1000))
        var forecast = DepartureForecast()
        var events: [(time: Int, isEnd: Bool, life: Int)] = []
        for (number, life) in lives.enumerated() {
            events.append((life.born, false, number))
            events.append((life.ends, true, number))
        }
        events.sort { ($0.time, $0.life, $0.isEnd ? 1 : 0) < ($1.time, $1.life, $1.isEnd ? 1 : 0) }
        var answers: [Int: Int] = [:]
        var questions = asked.sorted { $0.key < $1.key }[...]
        func answer(until time: Int) {
            while let (moment, life) = questions.first, moment < time {
                forecast.advanceClock(to: moment, in: &cluster)
                if let row = cluster.indexOfVM(withID: vm(life).id) {
                    answers[moment] = cluster.expectedDeparture(of: row)
                }
                questions.removeFirst()
            }
        }
        for event in events {
            answer(until: event.time)
            if event.isEnd {
                let row = try #require(cluster.indexOfVM(withID: vm(event.life).id))
                forecast.recordDeparture(of: row, in: &cluster, at: event.time)
                cluster.unregisterVM(row)
            } else {
                let row = try cluster.registerVM(vm(event.life))
                forecast.recordArrival(
                    of: row, kind: lives[event.life].kind, in: &cluster, at: event.time)
                cluster.assignVM(row, to: 0)
            }
        }
        answer(until: .max)
        return answers
    }

    /// Kind 1 lives for ten minutes, kind 2 for two days.
    private var twoKinds: [Life] {
        (0..<200).map { number in
            let born = 300 * number
            return number % 2 == 0
                ? Life(born: born, ends: born + 600, kind: 1)
                : Life(born: born, ends: born + 172_800, kind: 2)
        }
    }

    @Test func `Each kind is expected to live as its like have lived`() throws {
        let late = 400_000
        let lives =
            twoKinds + [
                Life(born: late, ends: late * 2, kind: 1),
                Life(born: late, ends: late * 2, kind: 2),
            ]
        let short = try foretold(lives, asked: [late + 1: 200])
        let long = try foretold(lives, asked: [late + 1: 201])
        let shortLife = try #require(short[late + 1]) - late
        let longLife = try #require(long[late + 1]) - late
        #expect((400...1500).contains(shortLife), "\(shortLife)")
        #expect((100_000...190_000).contains(longLife), "\(longLife)")
    }

    @Test func `What has outlived its like is expected to live on, the longer it has lived`() throws
    {
        let late = 400_000
        let lives = twoKinds + [Life(born: late, ends: late * 30, kind: 1)]
        let moments = [late + 1, late + 2000, late + 10_000, late + 500_000]
        let answers = try foretold(
            lives, asked: Dictionary(uniqueKeysWithValues: moments.map { ($0, 200) }))
        let departures = moments.compactMap { answers[$0] }
        #expect(departures.count == 4)
        #expect(departures == departures.sorted() && Set(departures).count == 4, "\(departures)")
        #expect(departures[1] > moments[1] && departures[3] > moments[3])
    }

    @Test func `VMs that still run count: few early deaths do not make all lives short`() throws {
        // Of a hundred that came at once ten have ended within the first minutes; the others run on.
        let lives =
            (0..<100).map {
                Life(born: 0, ends: $0 < 10 ? 100 + $0 : 1_000_000, kind: 1)
            } + [Life(born: 5000, ends: 1_000_000, kind: 1)]
        let answer = try #require(try foretold(lives, asked: [5001: 100])[5001])
        #expect(answer - 5000 > 5000, "\(answer)")
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `What is foretold does not change when the future does`(seed: UInt64) throws {
        var lots = SplitMix64(seed: seed)
        let moment = 50_000
        var lives = (0..<400).map { number -> Life in
            let born = lots.drawNumber(below: 2 * moment)
            return Life(
                born: born,
                ends: born + 1 + lots.drawNumber(below: 60 << lots.drawNumber(below: 12)),
                kind: Int32(number % 3))
        }
        lives.sort { ($0.born, $0.ends) < ($1.born, $1.ends) }
        let known = lives.indices.filter { lives[$0].born < moment && lives[$0].ends > moment }
        var other = lives
        for life in other.indices where other[life].ends > moment {
            if other[life].born > moment { other[life].kind = 2 - other[life].kind }
            other[life].ends = max(moment, other[life].born) + 1 + lots.drawNumber(below: 1_000_000)
        }
        var compared = 0
        for life in known.prefix(10) {
            let first = try foretold(lives, asked: [moment: life])[moment]
            #expect(try first == foretold(other, asked: [moment: life])[moment])
            compared += first == nil ? 0 : 1
        }
        #expect(compared == min(10, known.count) && compared > 0)
    }

    @Test func `One that was refused leaves nothing behind`() throws {
        func expectation(refusing: Int) throws -> Int {
            var cluster = ClusterState()
            var forecast = DepartureForecast()
            for number in 0..<refusing {
                let row = try cluster.registerVM(vm(number))
                forecast.recordArrival(of: row, kind: 1, in: &cluster, at: number)
                forecast.recordRefusal(of: row)
                cluster.unregisterVM(row)
            }
            let row = try cluster.registerVM(vm(1000))
            forecast.recordArrival(of: row, kind: 1, in: &cluster, at: 100)
            return cluster.expectedDeparture(of: row)
        }
        #expect(try expectation(refusing: 0) == expectation(refusing: 50))
    }
}
