// zlib, as installed (Debian: zlib1g-dev).
#include <zlib.h>
