// What real servers draw: a small named set, so that energy figures mean something without a measurement of one's own.
//
// Watts at active idle and at 10, 20, ..., 100 % of the load, as the vendors published them with SPECpower_ssj2008
// (www.spec.org/power_ssj2008/results, the file named beside each). A curve belongs to a whole server: a host in a run
// draws it over its share of cores in use, however many it has.

package struct NamedPowerCurve: Hashable, Sendable {
    package var name: String
    /// The machine and the published result.
    package var source: String
    package var curve: PowerCurve

    fileprivate init(_ name: String, source: String, watts: [Double]) {
        self.name = name
        self.source = source
        curve = PowerCurve(watts: watts)
    }
}

extension PowerCurve {
    package static let named: [NamedPowerCurve] = [
        NamedPowerCurve(
            "dell-r820-e5-4650l",
            source: "Dell PowerEdge R820, 4 × Xeon E5-4650L: power_ssj2008-20141023-00677",
            watts: [110, 149, 167, 188, 218, 237, 268, 307, 358, 414, 446]),
        NamedPowerCurve(
            "dell-r720-e5-2660",
            source: "Dell PowerEdge R720, 2 × Xeon E5-2660: power_ssj2008-20121030-00569",
            watts: [53.8, 77.1, 87.4, 98.4, 112, 122, 140, 160, 177, 199, 230]),
        NamedPowerCurve(
            "ibm-x3550-x5675",
            source: "IBM System x3550 M3, 2 × Xeon X5675: power_ssj2008-20110406-00368",
            watts: [58.4, 98, 109, 118, 128, 140, 153, 170, 189, 205, 222]),
        NamedPowerCurve(
            "ibm-x3550-x5670",
            source: "IBM System x3550 M3, 2 × Xeon X5670: power_ssj2008-20100315-00239",
            watts: [66, 107, 120, 131, 143, 156, 173, 191, 211, 229, 247]),
        NamedPowerCurve(
            "hp-ml110-g5", source: "HP ProLiant ML110 G5, Xeon 3075: power_ssj2008-20110124-00339",
            watts: [93.7, 97, 101, 105, 110, 116, 121, 125, 129, 133, 135]),
        NamedPowerCurve(
            "hp-ml110-g4", source: "HP ProLiant ML110 G4, Xeon 3040: power_ssj2008-20110127-00342",
            watts: [86, 89.4, 92.6, 96, 99.5, 102, 106, 108, 112, 114, 117]),
    ]

    /// The first of the set: four sockets, the nearest to a host of virtual machines.
    package static var standard: PowerCurve { named[0].curve }

    package static func publishedCurve(named name: String) -> PowerCurve? {
        named.first { $0.name == name }?.curve
    }
}
