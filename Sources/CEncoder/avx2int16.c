/// AVX2 with products of 16-bit whole numbers: two products a lane in two instructions, added up in 32 bits.
#if defined(__x86_64__)
#include <immintrin.h>

#define LANES 8
#define VECTORS 2
#define ROWS 6
#define TARGET __attribute__((target("avx2,fma")))
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#define HAS_PAIRS
#define HAS_WHOLE
#define DOT_PAIRS(sums, a, b) ((sums) + (words)_mm256_madd_epi16((__m256i)(a), (__m256i)(b)))
#include "body.h"

static int supported(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

DEFINE_VARIANT(encoder_variant_avx2int16, "AVX2 INT16")
#else
typedef int encoder_without_avx2int16;
#endif
