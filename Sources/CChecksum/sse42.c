/// CRC32C by the instructions of SSE4.2, joined by PCLMULQDQ.
#include "variant.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("sse4.2,pclmul")))
#define CRC_BYTE(crc, byte) _mm_crc32_u8(crc, byte)
#define CRC_WORD(crc, word) ((uint32_t)_mm_crc32_u64(crc, word))
#define MULTIPLY(a, b) multiplied(a, b)

TARGET static inline __attribute__((always_inline)) uint64_t multiplied(uint32_t a, uint32_t b) {
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi32_si128((int)a), _mm_cvtsi32_si128((int)b), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

#include "lanes.h"

static int supported(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

const checksum_variant checksum_variant_sse42 = {"SSE4.2", supported, fill_factors, crc32c};
#endif
