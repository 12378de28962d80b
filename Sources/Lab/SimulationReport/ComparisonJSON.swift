// A comparison for programs: one JSON document with every figure of every run, and the course of the first seed's runs.
// Equal comparisons give equal bytes; nothing of the time or the machine is in it.

import Simulation

extension Comparison {
    /// Raised when a field changes its meaning or goes; new fields may come without.
    package static let formatVersion = 1

    package var json: JSONText {
        .object([
            .init("format", .string("ferry-comparison")),
            .init("version", .integer(Self.formatVersion)),
            .init("workload", .string(sweep.workload)),
            .init("fingerprint", .string(sweep.fingerprint)),
            .init(
                "settings",
                .object(sweep.settings.map { .init($0.name, .string($0.value)) })),
            .init("seeds", .array(sweep.seeds.map { .unsigned($0) })),
            .init("baseline", .string(sweep.policies[0].name)),
            .init("confidence", .number(PairedDifference.confidence)),
            .init("figures", .array(Figure.all.map(\.json))),
            .init("variants", .array(sweep.variants.indices.map(variantJSON(variant:)))),
            .init("notes", .stringArray(notes)),
        ])
    }

    private func variantJSON(variant: Int) -> JSONText {
        .object([
            .init("name", .string(sweep.variants[variant])),
            .init(
                "policies",
                .array(
                    sweep.policies.indices.map { policyResultJSON(variant: variant, policy: $0) })),
        ])
    }

    private func policyResultJSON(variant: Int, policy: Int) -> JSONText {
        let first = runResult(variant: variant, policy: policy)
        let figures = zip(Figure.all, summaries[variant][policy]).map { figure, summary in
            JSONText.Field(figure.key, summary.json)
        }
        return .object([
            .init("name", .string(sweep.policies[policy].name)),
            .init("summary", .string(sweep.policies[policy].summary)),
            .init("hosts", .integer(first.hosts)),
            .init("seconds", .number(first.seconds)),
            .init("figures", .object(figures)),
            .init("downtimeMs", first.downtimeMs.json),
            .init("course", first.course.json),
            .init("heat", first.heat.json),
        ])
    }
}

extension Figure {
    fileprivate var json: JSONText {
        .object([
            .init("key", .string(key)), .init("title", .string(title)),
            .init("unit", .string(unit)), .init("group", .string(group.rawValue)),
            .init("better", .string(better.rawValue)), .init("decimals", .integer(decimals)),
            .init("meaning", .string(meaning)),
        ])
    }
}

extension FigureSummary {
    fileprivate var json: JSONText {
        .object([
            .init("mean", .optionalNumber(spread?.mean)),
            .init("standardDeviation", .optionalNumber(spread?.standardDeviation)),
            .init("min", .optionalNumber(spread?.min)),
            .init("max", .optionalNumber(spread?.max)),
            .init("bound", .optionalNumber(bound)),
            .init("difference", difference?.json ?? .null),
            .init("values", .array(values.map { .optionalNumber($0) })),
            .init("bounds", .array(bounds.map { .optionalNumber($0) })),
        ])
    }
}

extension PairedDifference {
    fileprivate var json: JSONText {
        .object([
            .init("mean", .number(mean)),
            .init("low", .optionalNumber(interval?.lowerBound)),
            .init("high", .optionalNumber(interval?.upperBound)),
        ])
    }
}

extension Distribution {
    fileprivate var json: JSONText {
        .object([
            .init("count", .integer(count)), .init("sum", .number(sum)),
            .init("min", .number(min)), .init("max", .number(max)), .init("p50", .number(p50)),
            .init("p90", .number(p90)), .init("p99", .number(p99)),
            .init("edges", .numberArray(edges)),
            .init("counts", .array(counts.map { .integer($0) })),
        ])
    }
}

extension [CourseSample] {
    /// By column: a chart reads one after another.
    fileprivate var json: JSONText {
        func integerArray(of value: (CourseSample) -> Int) -> JSONText {
            .array(map { .integer(value($0)) })
        }
        func numberArray(of value: (CourseSample) -> Double) -> JSONText {
            .numberArray(map(value))
        }
        return .object([
            .init("seconds", numberArray(of: \.seconds)), .init("vms", integerArray(of: \.vms)),
            .init("hostsInUse", integerArray(of: \.hostsInUse)),
            .init("hostsInUseBound", integerArray(of: \.hostsInUseBound)),
            .init("hostsAwake", integerArray(of: \.hostsAwake)),
            .init("cpuPromised", numberArray(of: \.cpuPromised)),
            .init("memoryPromised", numberArray(of: \.memoryPromised)),
            .init("cpuUsed", numberArray(of: \.cpuUsed)),
            .init("cpuUsedMax", numberArray(of: \.cpuUsedMax)),
            .init("imbalance", numberArray(of: \.imbalance)),
            .init("watts", numberArray(of: \.watts)),
            .init("migrations", integerArray(of: \.migrations)),
            .init("refused", integerArray(of: \.refused)),
        ])
    }
}

extension HeatMap {
    /// Whole percents of the cores in use; -1: asleep.
    fileprivate var json: JSONText {
        .object([
            .init("hostsPerRow", .integer(hostsPerRow)),
            .init("secondsPerColumn", .number(secondsPerColumn)),
            .init(
                "percent",
                .array(
                    rows.map { row in .array(row.map { .integer(Self.roundedPercent(share: $0)) }) }
                )),
        ])
    }

    private static func roundedPercent(share: Float) -> Int {
        guard share >= 0, share.isFinite else { return -1 }
        return Int((Swift.min(share, 10) * 100).rounded())
    }
}
