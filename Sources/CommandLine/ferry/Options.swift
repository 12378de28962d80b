// What every command understands.

import ArgumentParser

enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
    case text, json
}

struct OutputOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "Output for people or for programs: text or json.")
    var output = OutputFormat.text

    /// Prints a value in the wanted form.
    /// - Parameter text: the form for people.
    func printResult(
        _ value: some Encodable, text: @autoclosure () throws -> String
    ) throws {
        switch output {
        case .json: print(try encodedJSON(of: value))
        case .text: print(try text())
        }
    }
}

struct ClusterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The cluster file (default: $FERRY_CLUSTER, else that of the last `ferry up` here).",
            valueName: "file"))
    var cluster: String?

    @Option(
        help: ArgumentHelp(
            "The folder with this user's keys (default: $FERRY_KEYS, else keys-folder/operator-admin).",
            valueName: "folder"))
    var keys: String?
}
