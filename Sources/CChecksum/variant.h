/// What a variant of the checksum consists of.
#ifndef LOCI_CHECKSUM_VARIANT_H
#define LOCI_CHECKSUM_VARIANT_H

#include "checksum.h"

typedef struct {
    const char *name;
    int (*supported)(void);
    /// Fills the variant's tables. Called once, before `crc32c`, and only if it is supported.
    void (*prepare)(void);
    uint32_t (*crc32c)(uint32_t, const void *, size_t);
} checksum_variant;

extern const checksum_variant checksum_variant_table;
#if defined(__x86_64__)
extern const checksum_variant checksum_variant_sse42;
#elif defined(__aarch64__)
extern const checksum_variant checksum_variant_arm;
#endif

#endif
