/// AVX-512: 24 of its 32 registers are sums.
#if defined(__x86_64__)
#define LANES 16
#define VECTORS 2
#define ROWS 12
#define TARGET __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma")))
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#include "body.h"

static int supported(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("fma");
}

DEFINE_VARIANT(encoder_variant_avx512, "AVX-512")
#else
typedef int encoder_without_avx512;
#endif
