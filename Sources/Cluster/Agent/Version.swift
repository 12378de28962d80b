// Who is speaking.

import Glibc

let processID = getpid()
