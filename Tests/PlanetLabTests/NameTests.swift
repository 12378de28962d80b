// How people write policies and modes.

import PlanetLab
import Testing

@Suite("Names of policies and modes")
struct NameTests {
    @Test func `Hyphens and underscores mean the same`() throws {
        for name in PlanetLabPolicy.published {
            let policy = try PlanetLabPolicy(name: name)
            #expect(policy.name == name)
            #expect(try PlanetLabPolicy(name: String(name.map { $0 == "-" ? "_" : $0 })) == policy)
        }
        #expect(try PlanetLabPolicy(name: "LR-MMT-1.20").name == "lr-mmt-1.20")
    }

    @Test(arguments: ["", "-", "lr", "lr-mmt", "lr-rs-1.2", "x-mmt-1", "npa-mmt-1", "lr-mmt-1-2"])
    func `What is no policy is refused with a list of them`(name: String) {
        #expect(throws: PlanetLabError.unknownPolicy(name)) { try PlanetLabPolicy(name: name) }
        #expect("\(PlanetLabError.unknownPolicy(name))".contains("thr-mmt-SHARE"))
    }

    @Test(arguments: ["", "nan", "inf", "-1", "1e3", "1.5", "0x1", " 1", "１"])
    func `A threshold is a share`(parameter: String) {
        let name = "thr-mmt-" + parameter
        #expect(throws: PlanetLabError.self) { try PlanetLabPolicy(name: name) }
    }

    @Test func `Modes are asked for alone or both`() throws {
        #expect(try PlanetLabMode.parseModes(named: "both") == [.cloudSim, .honest])
        #expect(try PlanetLabMode.parseModes(named: "cloudsim-3.0.3") == [.cloudSim])
        #expect(throws: PlanetLabError.unknownMode("fair")) {
            try PlanetLabMode.parseModes(named: "fair")
        }
    }
}
