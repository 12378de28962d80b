// The balancer's settings as options: what is not given stays.

import API
import ArgumentParser
import Model

struct BalanceSettingOptions: ParsableArguments {
    @Option(help: "off, advise (plans are shown) or auto (plans are carried out).")
    var mode: BalanceMode?
    @Option(
        help: ArgumentHelp("How often it looks.", valueName: "time"), transform: parseDuration)
    var interval: Duration?
    @Option(help: ArgumentHelp("Begin above this imbalance.", valueName: "figure"))
    var startAbove: Double?
    @Option(help: ArgumentHelp("Go on until it is at most this.", valueName: "figure"))
    var settleAt: Double?
    @Option(
        help: ArgumentHelp("A VM that was moved stays for so long.", valueName: "time"),
        transform: parseDuration)
    var coolDown: Duration?
    @Option(
        help: ArgumentHelp(
            "A VM does not go back to the host that it left for so long.", valueName: "time"),
        transform: parseDuration)
    var returnBar: Duration?
    @Option(
        help: ArgumentHelp(
            "The measured load is trusted to hold for so long: what a move brings is counted over it.",
            valueName: "time"), transform: parseDuration)
    var horizon: Duration?
    @Option(help: ArgumentHelp("Moves in one plan.", valueName: "n"))
    var movesMax: Int?
    @Option(help: ArgumentHelp("Moves at once to and from one host.", valueName: "n"))
    var perHost: Int?
    @Option(help: ArgumentHelp("Moves at once over one link.", valueName: "n"))
    var perLink: Int?
    @Option(help: ArgumentHelp("Moves at once in all.", valueName: "n"))
    var perCluster: Int?

    var request: UpdateBalance {
        var request = UpdateBalance()
        request.mode = mode
        request.intervalSeconds = interval?.seconds
        request.startAbove = startAbove
        request.settleAt = settleAt
        request.coolDownSeconds = coolDown?.seconds
        request.returnBarSeconds = returnBar?.seconds
        request.horizonSeconds = horizon?.seconds
        request.movesMax = movesMax
        request.perHost = perHost
        request.perLink = perLink
        request.perCluster = perCluster
        return request
    }

    var isUsed: Bool { request != UpdateBalance() }
}

extension BalanceMode: ExpressibleByArgument {}
