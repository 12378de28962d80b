// The controller's machine, by events and actions.

import MigrationProtocol
import Model
import Testing
