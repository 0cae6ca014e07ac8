/// CRC32C by an instruction that takes eight bytes, over three lanes at once.
///
/// The instruction can begin every cycle but takes three to finish, so a single chain uses a third of
/// it. A buffer is therefore cut into three lanes of equal length, each with a chain of its own, and the
/// three remainders are joined: the remainder of A followed by B is that of A times x^(bits of B), plus
/// that of B. The factors for every lane length up to `max_words` words are in a table, so that one
/// join serves for any length. The method of joining is in Gopal et al., "Fast CRC Computation for
/// iSCSI Polynomial Using CRC32 Instruction", Intel, 2011.
///
/// Include this file after defining `TARGET` (target attribute), `CRC_BYTE(crc, byte)`,
/// `CRC_WORD(crc, word)` and `MULTIPLY(a, b)` (the carry-less product of two 32-bit values, in 64 bits).
#include <string.h>

enum { word_bytes = 8, max_words = 512, min_words = 5 };

/// `factors[w]` is x^(64 w - 33) modulo the polynomial, in reflected bits. A product of two reflected
/// values comes out times x, and reducing it by `CRC_WORD` multiplies it by x^32: together x^33.
static uint32_t factors[2 * max_words + 1];

/// x^31 is 1 in reflected bits; eight bytes of zeros multiply by x^64.
TARGET static void fill_factors(void) {
    uint32_t factor = 1;
    for (int w = 1; w <= 2 * max_words; w++) {
        factors[w] = factor;
        factor = CRC_WORD(factor, 0);
    }
}

TARGET static inline __attribute__((always_inline)) uint64_t word_at(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

/// The remainder `crc`, moved `words` words further from the end.
TARGET static inline __attribute__((always_inline)) uint32_t moved(uint32_t crc, size_t words) {
    return CRC_WORD(0, MULTIPLY(crc, factors[words]));
}

TARGET static uint32_t crc32c(uint32_t seed, const void *data, size_t n) {
    const char *bytes = data;
    uint32_t crc = ~seed;
    while (n >= 3 * min_words * word_bytes) {
        size_t words = n / (3 * word_bytes);
        if (words > max_words) words = max_words;
        size_t lane = words * word_bytes;
        uint32_t first = crc, second = 0, third = 0;
        for (const char *end = bytes + lane; bytes < end; bytes += word_bytes) {
            first = CRC_WORD(first, word_at(bytes));
            second = CRC_WORD(second, word_at(bytes + lane));
            third = CRC_WORD(third, word_at(bytes + 2 * lane));
        }
        crc = moved(first, 2 * words) ^ moved(second, words) ^ third;
        bytes += 2 * lane;
        n -= 3 * lane;
    }
    for (; n >= word_bytes; n -= word_bytes, bytes += word_bytes) crc = CRC_WORD(crc, word_at(bytes));
    for (; n > 0; n--, bytes++) crc = CRC_BYTE(crc, (uint8_t)*bytes);
    return ~crc;
}
