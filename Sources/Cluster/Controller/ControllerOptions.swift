// What a controller is told on its command line.

package import Logging
package import Model
package import Serving

package struct ControllerOptions: Sendable {
    /// The cluster file.
    package var config: String
    /// Which of the cluster's controllers this one is.
    package var name: HostName
    package var logFormat: LogFormat
    package var logLevel: Logger.Level

    package init(config: String, name: HostName, logFormat: LogFormat, logLevel: Logger.Level) {
        self.config = config
        self.name = name
        self.logFormat = logFormat
        self.logLevel = logLevel
    }
}
