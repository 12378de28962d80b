// LZ4, as installed (Debian: liblz4-dev).
#include <lz4.h>
