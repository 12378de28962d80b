import API
import ClusterText
import Model
import Testing

@Suite("How a command line names groups")
struct GroupSyntaxTests {
    @Test func `A name alone is a hard group of hosts`() throws {
        let group = try GroupSpec(parsing: "db", ofKind: .affinity)
        #expect(group == GroupSpec(name: "db", kind: .affinity))
    }

    private static let wholes: [(String, GroupSpec.Scope?, Double?, Int?)] = [
        ("db:rack", .rack, nil, nil), ("db:soft", nil, 1, nil),
        ("db:zone:soft=2.5", .zone, 2.5, nil), ("db:soft=2:host", .host, 2, nil),
        ("db:max=3", nil, nil, 3), ("db:host:soft=0.5:max=2", .host, 0.5, 2),
    ]

    @Test func `The parts after the name come in any order`() throws {
        for (text, scope, weight, most) in Self.wholes {
            let expected = GroupSpec(
                name: "db", kind: .antiAffinity, scope: scope, softWeight: weight,
                perDomainMax: most)
            #expect(try GroupSpec(parsing: text, ofKind: .antiAffinity) == expected)
        }
    }

    @Test(arguments: [
        "", ":host", "Db", "a b", "db:", "db:city", "db:host:rack", "db:soft=", "db:soft=x",
        "db:soft=0", "db:soft=-1", "db:soft=nan", "db:soft:soft", "db:max=0", "db:max", "db:max=x",
        "db:max=2:max=3", "db:host=1",
    ])
    func `What has no meaning is refused with the whole syntax`(text: String) throws {
        let error = #expect(throws: GroupSyntaxError.self) {
            try GroupSpec(parsing: text, ofKind: .antiAffinity)
        }
        #expect(error?.description.contains("write GROUP[:host|rack|zone]") == true)
    }

    @Test func `VMs that belong together have no most in one place`() {
        #expect(throws: GroupSyntaxError.self) {
            try GroupSpec(parsing: "db:max=2", ofKind: .affinity)
        }
    }

    @Test(arguments: ["db", "db:rack", "db:zone:soft=2.5", "db:host:soft=0.5:max=2"])
    func `A group is told as it was said`(text: String) throws {
        #expect(try GroupSpec(parsing: text, ofKind: .antiAffinity).text == text)
    }
}
