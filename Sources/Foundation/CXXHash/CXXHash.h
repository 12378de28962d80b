// xxHash, as installed (Debian: libxxhash-dev).
#include <xxhash.h>
#ifdef __x86_64__
#include <xxh_x86dispatch.h>
#endif

// XXH3, 128 bits, with a seed: by the widest vectors that this CPU has.
static inline XXH128_hash_t ferry_xxh3_128(const void *bytes, size_t count, XXH64_hash_t seed) {
    return XXH3_128bits_withSeed(bytes, count, seed);
}
