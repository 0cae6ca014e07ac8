/// CRC32C, the checksum of every record, block and page of the store.
///
/// The polynomial is Castagnoli's (0x1EDC6F41, bits reflected), with initial value and final inversion as
/// in RFC 3720, appendix B.4. The processor's own instructions are used where it has them; the choice is
/// made once, when the program is loaded.
#ifndef LOCI_CHECKSUM_H
#define LOCI_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// CRC32C of `n` bytes at `data`, at any alignment. `seed` is 0, or the checksum of the bytes before
/// these: the checksum of a whole is that of its second part, seeded with that of its first. O(n).
uint32_t checksum_crc32c(uint32_t seed, const void *data, size_t n);

/// 1 if the value at `address`, which stores `checksum`, was noted as right, otherwise 0. `map` names what is mapped
/// there: another file, or the same one opened again, has another. O(1).
int checksum_is_known(uint64_t map, const void *address, uint32_t checksum);

/// Notes that the value at `address` was compared with its `checksum` and is right. The note may be forgotten. O(1).
void checksum_note_known(uint64_t map, const void *address, uint32_t checksum);

/// Asks for the beginning of a value that will be read soon. The address need not be mapped. O(1).
static inline void checksum_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

// The variants, for tests and benchmarks. A variant is a number from 0 to
// `checksum_crc32c_variant_count() - 1`, the fastest first; the last runs everywhere. Call only a
// supported one.

int checksum_crc32c_variant_count(void);
const char *checksum_crc32c_variant_name(int variant);
/// 1 if this processor can run it, otherwise 0.
int checksum_crc32c_variant_supported(int variant);
/// The variant that `checksum_crc32c` uses.
int checksum_crc32c_variant_active(void);
uint32_t checksum_crc32c_variant(int variant, uint32_t seed, const void *data, size_t n);

#ifdef __cplusplus
}
#endif

#endif
