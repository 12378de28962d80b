// The command line of an agent.

package import Logging
package import Model
package import Serving

package struct AgentOptions: Sendable {
    /// The cluster file.
    package var config: String
    /// The name of this host in the cluster file.
    package var host: HostName
    /// The path of the ferry-vmm program.
    package var vmm: String
    package var logFormat: LogFormat
    package var logLevel: Logger.Level

    package init(
        config: String, host: HostName, vmm: String, logFormat: LogFormat, logLevel: Logger.Level
    ) {
        self.config = config
        self.host = host
        self.vmm = vmm
        self.logFormat = logFormat
        self.logLevel = logLevel
    }
}
