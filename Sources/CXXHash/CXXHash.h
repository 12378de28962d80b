// xxHash, as installed (Debian: libxxhash-dev).
#include <xxhash.h>
