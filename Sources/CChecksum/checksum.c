/// Chooses the variant, once, before `main` runs; afterwards the choice and the tables are only read.
#include "checksum.h"
#include "variant.h"

/// The fastest first.
static const checksum_variant *const variants[] = {
#if defined(__x86_64__)
    &checksum_variant_sse42,
#elif defined(__aarch64__)
    &checksum_variant_arm,
#endif
    &checksum_variant_table,
};

enum { variant_count = sizeof(variants) / sizeof(variants[0]) };

static const checksum_variant *active = &checksum_variant_table;
static int active_index = variant_count - 1;

__attribute__((constructor)) static void choose_variant(void) {
    for (int i = variant_count - 1; i >= 0; i--) {
        if (variants[i]->supported()) {
            variants[i]->prepare();
            active = variants[i];
            active_index = i;
        }
    }
}

uint32_t checksum_crc32c(uint32_t seed, const void *data, size_t n) {
    return active->crc32c(seed, data, n);
}

int checksum_crc32c_variant_count(void) { return variant_count; }

const char *checksum_crc32c_variant_name(int variant) { return variants[variant]->name; }

int checksum_crc32c_variant_supported(int variant) { return variants[variant]->supported(); }

int checksum_crc32c_variant_active(void) { return active_index; }

uint32_t checksum_crc32c_variant(int variant, uint32_t seed, const void *data, size_t n) {
    return variants[variant]->crc32c(seed, data, n);
}
