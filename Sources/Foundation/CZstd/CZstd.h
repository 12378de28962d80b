// Zstandard, as installed (Debian: libzstd-dev).
#include <zstd.h>
