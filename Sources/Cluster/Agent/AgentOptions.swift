// What an agent is told on its command line.

package import Logging
package import Model
package import Serving

package struct AgentOptions: Sendable {
    /// The cluster file.
    package var config: String
    /// Which of the cluster's hosts this one is.
    package var host: HostName
    /// Of the ferry-vmm program.
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
