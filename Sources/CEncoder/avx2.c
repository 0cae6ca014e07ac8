/// AVX2 with FMA: 12 of its 16 registers are sums.
#if defined(__x86_64__)
#define LANES 8
#define VECTORS 2
#define ROWS 6
#define TARGET __attribute__((target("avx2,fma")))
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#include "body.h"

static int supported(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

DEFINE_VARIANT(encoder_variant_avx2, "AVX2")
#else
typedef int encoder_without_avx2;
#endif
