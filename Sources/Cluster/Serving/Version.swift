// Which Ferry this is.

/// As servers tell it, and as `--version` does.
package let ferryVersion = "0.1.0"
