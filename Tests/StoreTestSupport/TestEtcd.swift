// A real etcd of one member, on free ports of this machine, with its data in a folder that goes with it.
//
//   test process ══pipe══▶ sh ──▶ etcd
//
// The shell ends etcd at a word from the test process. When there is no test process any more, however it ended, the
// shell ends etcd and removes its folder.

import Glibc
package import Host
import MigrationTestSupport
import Synchronization

package final class TestEtcd: Sendable {
    private struct Running {
        let etcd: Int32
        let shell: Int32
        /// Open for as long as the test process runs.
        let leash: Descriptor
    }

    private static let program = ["/usr/bin/etcd", "/usr/local/bin/etcd"].first(
        where: File.isPresent)

    package static var isInstalled: Bool { program != nil }
    package static let whySkipped = "needs etcd: apt-get install etcd-server"

    /// One for all tests that leave it running.
    package static let shared = Result { try TestEtcd() }

    package let client: SocketAddress
    private let peer: SocketAddress
    private let folder: TemporaryFolder
    /// A keys folder; nil: plain HTTP.
    private let keysFolder: String?
    private let running: Mutex<Running?>

    /// - Parameter keysFolder: ca.pem, cert.pem for 127.0.0.1, key.pem. Clients must have certificates of that authority.
    package init(keysFolder: String? = nil) throws {
        client = try Self.freeAddress()
        peer = try Self.freeAddress()
        folder = try TemporaryFolder()
        self.keysFolder = keysFolder
        running = Mutex(nil)
        try start()
    }

    deinit { kill() }

    package var url: String { "\(keysFolder == nil ? "http" : "https")://\(client)" }

    /// Starts it on the data that it has, and returns when it accepts connections.
    package func start() throws {
        guard let program = Self.program else { throw TestFailure(Self.whySkipped) }
        let process = try Self.spawn([program] + arguments, in: folder.path)
        running.withLock { $0 = process }
        let end = Instant.now + .seconds(20)
        while (try? TCPSocket.openConnection(to: client, within: .seconds(1))) == nil {
            guard Instant.now < end, Glibc.kill(process.etcd, 0) == 0 else {
                kill()
                let log = try File.readLastBytes(at: "\(folder.path)/log", count: 2000)
                throw TestFailure("etcd does not start: \(String(decoding: log, as: UTF8.self))")
            }
            usleep(10_000)
        }
    }

    /// As if by a power cut. Nothing happens when it does not run.
    package func kill() {
        guard let process = running.withLock({ $0.take() }) else { return }
        // The shell has gone if it cannot be told.
        try? process.leash.writeAllBytes(Array("end\n".utf8))
        var status: Int32 = 0
        _ = unsafe waitpid(process.shell, &status, 0)
    }

    /// It stays connected, and answers nothing until `resume`.
    package func pause() { signal(SIGSTOP) }
    package func resume() { signal(SIGCONT) }

    private func signal(_ number: Int32) {
        running.withLock { if let etcd = $0?.etcd { _ = Glibc.kill(etcd, number) } }
    }

    private var arguments: [String] {
        let scheme = keysFolder == nil ? "http" : "https"
        let tls = keysFolder.map {
            [
                "--cert-file=\($0)/cert.pem", "--key-file=\($0)/key.pem",
                "--trusted-ca-file=\($0)/ca.pem", "--client-cert-auth",
            ]
        }
        return [
            "--name=test", "--data-dir=\(folder.path)/data", "--log-level=error",
            "--listen-client-urls=\(scheme)://\(client)",
            "--advertise-client-urls=\(scheme)://\(client)",
            "--listen-peer-urls=http://\(peer)", "--initial-advertise-peer-urls=http://\(peer)",
            "--initial-cluster=test=http://\(peer)",
            // Its shortest lease is one and a half times the second.
            "--heartbeat-interval=50", "--election-timeout=500",
        ] + (tls ?? [])
    }

    /// Nobody keeps it: another process may take it before etcd does, which then says so.
    private static func freeAddress() throws -> SocketAddress {
        let socket = try TCPSocket.openListener(on: SocketAddress(ip: "127.0.0.1", port: 0))
        return try SocketAddress(ip: "127.0.0.1", port: TCPSocket.boundPort(of: socket))
    }

    private static func spawn(_ command: [String], in folder: String) throws -> Running {
        var ends: [Int32] = [-1, -1]
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue
        try checkedSystemCall(named: "socketpair") {
            unsafe socketpair(AF_UNIX, Int32(kind), 0, &ends)
        }
        let (ours, theirs) = (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
        let shell = try spawn(["/bin/sh", "-c", script, "sh", folder] + command, on: theirs)
        let line = try ours.readAvailable(upTo: 32)
        guard let etcd = Int32(String(decoding: line.prefix { $0 != 10 }, as: UTF8.self)) else {
            throw TestFailure("the shell did not start etcd")
        }
        return Running(etcd: etcd, shell: shell, leash: ours)
    }

    private static let script = #"""
        folder=$1; shift
        "$@" </dev/null >>"$folder/log" 2>&1 &
        echo $!
        read word; has_no_master=$?
        kill -9 $!
        wait
        [ $has_no_master = 0 ] || rm -r "$folder"
        """#

    /// With a socket as its input and output.
    private static func spawn(_ arguments: [String], on socket: Descriptor) throws -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        _ = unsafe posix_spawn_file_actions_init(&actions)
        defer { _ = unsafe posix_spawn_file_actions_destroy(&actions) }
        _ = unsafe posix_spawn_file_actions_adddup2(&actions, socket.number, 0)
        _ = unsafe posix_spawn_file_actions_adddup2(&actions, socket.number, 1)
        _ = unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var attributes = posix_spawnattr_t()
        _ = unsafe posix_spawnattr_init(&attributes)
        defer { _ = unsafe posix_spawnattr_destroy(&attributes) }
        // Threads of Swift's tasks take no signals; a shell with such a mask would wait for ever for its child's.
        var none = sigset_t()
        _ = unsafe sigemptyset(&none)
        _ = unsafe posix_spawnattr_setsigmask(&attributes, &none)
        _ = unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var argv = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { unsafe argv.forEach { unsafe free($0) } }
        var processID: pid_t = 0
        let code = unsafe posix_spawn(
            &processID, arguments[0], &actions, &attributes, &argv, environ)
        guard code == 0 else { throw SystemError(call: "posix_spawn", code: code) }
        return processID
    }
}
