/// AVX-512 with products of 16-bit whole numbers (VNNI): two products a lane in one instruction, added up in 32 bits.
#if defined(__x86_64__)
#define LANES 16
#define VECTORS 2
#define ROWS 12
#define TARGET __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx512vnni,fma")))
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#define HAS_PAIRS
#define HAS_WHOLE
#define DOT_PAIRS(sums, a, b) dot_pairs(sums, a, b)

typedef float pair_lanes __attribute__((ext_vector_type(16)));
typedef int pair_words __attribute__((ext_vector_type(16)));

/// The compiler makes two instructions of the builtin, which take twice as long here.
TARGET static inline __attribute__((always_inline)) pair_words dot_pairs(
    pair_words sums, pair_lanes a, pair_lanes b) {
    __asm__("vpdpwssd %2, %1, %0" : "+v"(sums) : "v"(a), "v"(b));
    return sums;
}

#include "body.h"

static int supported(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("fma");
}

DEFINE_VARIANT(encoder_variant_avx512vnni, "AVX-512 VNNI")
#else
typedef int encoder_without_avx512vnni;
#endif
