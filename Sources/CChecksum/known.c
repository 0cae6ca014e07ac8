/// Remembers which values were compared with their checksums, so that a value which is read over and over is
/// passed over once.
///
/// A table of 2^15 entries, each the checksum of a value and bits of a hash of its place. A place that is written
/// again gets another checksum, and a file that is opened again another map; so an entry that fits tells that these
/// bytes were compared, by any thread. One that was overwritten by another place's costs one more comparison.
#include "checksum.h"

#include <stdatomic.h>

enum { known_count = 1 << 15 };

/// 0 = nothing: the bits of a place are never 0.
static _Atomic uint64_t known[known_count];

/// The entry's index in the low bits, and bits of the place in the upper half.
static uint64_t hash_of(uint64_t map, const void *address) {
    uint64_t hash = (uint64_t)(uintptr_t)address * 0x9e3779b97f4a7c15ull ^ map * 0xbf58476d1ce4e5b9ull;
    hash = (hash ^ hash >> 31) * 0x94d049bb133111ebull;
    return hash ^ hash >> 29;
}

static uint64_t entry_of(uint64_t hash, uint32_t checksum) {
    return (hash & 0xffffffff00000000ull) | 1ull << 32 | checksum;
}

int checksum_is_known(uint64_t map, const void *address, uint32_t checksum) {
    uint64_t hash = hash_of(map, address);
    return atomic_load_explicit(&known[hash % known_count], memory_order_relaxed) == entry_of(hash, checksum);
}

void checksum_note_known(uint64_t map, const void *address, uint32_t checksum) {
    uint64_t hash = hash_of(map, address);
    atomic_store_explicit(&known[hash % known_count], entry_of(hash, checksum), memory_order_relaxed);
}
