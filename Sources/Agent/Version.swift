// Who is speaking.

import Glibc

/// The agent's version, as it tells it.
package let agentVersion = "0.1.0"

let processID = getpid()
