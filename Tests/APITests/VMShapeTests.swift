import API
import Foundation
import Model
import Testing

@Suite("The nested and the flat shape of VMs")
struct VMShapeTests {
    private func read<Value: Decodable>(_ text: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }

    @Test("A request to the controller means the same in both shapes")
    func clusterRequests() throws {
        let flat: CreateClusterVM = try read(
            """
            {"name":"web","memoryBytes":67108864,"vcpus":2,"hugePages":true,"downtimeLimitMs":20,
             "commandLine":"quiet","kernelPath":"/k","labels":["ssd"],
             "groups":[{"name":"db","kind":"anti-affinity"}],"pinnedHost":"host-a",
             "startOn":"host-b","priority":3,"mayBeBalanced":false,"failurePolicy":"restart",
             "desired":"stopped","id":"000000000000000000000000000000ff"}
            """)
        let nested: CreateClusterVM = try read(
            """
            {"spec":{"name":"web","memoryBytes":67108864,"vcpus":2,"hugePages":true,
              "downtimeLimitMs":20,"commandLine":"quiet","kernel":{"path":"/k"}},
             "policy":{"labels":["ssd"],"groups":[{"name":"db","kind":"anti-affinity"}],
              "pinnedHost":"host-a","priority":3,"mayBeBalanced":false,"failurePolicy":"restart",
              "desired":"stopped"},
             "startOn":"host-b","id":"000000000000000000000000000000ff"}
            """)
        #expect(flat == nested)
        #expect(try read(String(decoding: JSONEncoder().encode(nested), as: UTF8.self)) == nested)
        #expect(nested.policy.priority == 3 && nested.spec.downtimeLimit == .milliseconds(20))
    }

    @Test("A request without a policy has the defaults")
    func defaults() throws {
        for text in [
            #"{"name":"web","memoryBytes":67108864}"#,
            #"{"spec":{"name":"web","memoryBytes":67108864},"policy":null}"#,
        ] {
            let request: CreateClusterVM = try read(text)
            #expect(request.policy == ClusterVMPolicy())
        }
    }

    @Test("What an agent of the version before answers is read")
    func olderAgents() throws {
        let info: VMInfo = try read(
            """
            {"id":"000000000000000000000000000000ff","name":"web","host":"host-a",
             "state":"running","memoryBytes":67108864,"vcpus":2,"hugePages":false,
             "downtimeLimitMs":50,"commandLine":"x","hasShippedKernel":true,"isLeased":true,
             "epoch":3,"cpuTimeMs":12.5,"processID":42}
            """)
        #expect(
            try info.spec
                == VMSpec(
                    name: VMName("web"), memory: .mebibytes(64), vcpus: 2, commandLine: "x",
                    isLeased: true))
        #expect(info.epoch == 3 && info.processID == 42)
    }

    @Test("Flat properties are known to the check of requests, others are not")
    func unknownProperties() throws {
        let document = try OpenAPIDocument(ControllerRoutes.table)
        func unknown(_ body: JSONValue) -> String? {
            document.unknownProperty(in: body, of: CreateClusterVM.self)
        }
        #expect(unknown(["name": "a", "memoryBytes": 1, "kernelPath": "/k", "labels": []]) == nil)
        #expect(unknown(["name": "a", "memoryBytes": 1, "more": 1]) == "more")
        #expect(unknown(["spec": ["name": "a", "more": 1]]) == "spec.more")
        // Beside a spec they would mean nothing.
        #expect(unknown(["spec": ["name": "a"], "vcpus": 2]) == "vcpus")
    }

    @Test("A new VM cannot be without a kernel")
    func unknownKernel() throws {
        let request: CreateVM = try read(
            #"{"spec":{"name":"web","memoryBytes":67108864,"kernel":{"source":"unknown"}}}"#)
        let problem = #expect(throws: Problem.self) {
            try request.checkedSpec(defaultCommandLine: "")
        }
        #expect(problem?.knownCode == .invalid)
    }
}
