/// AVX-512 with products of bfloat16 numbers: two products a lane in one instruction, added up in 32-bit floats.
#if defined(__x86_64__)
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define LANES 16
#define VECTORS 2
#define ROWS 12
#define TARGET __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx512bf16,fma")))
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#define HAS_PAIRS
#define DOT_PAIRS(sums, a, b) ((lanes)_mm512_dpbf16_ps((__m512)(sums), (__m512bh)(a), (__m512bh)(b)))

/// Rounds `count` floats at any alignment to bfloat16, and fills up to a multiple of 32 with zeros.
TARGET static inline __attribute__((always_inline)) void round_row(
    const void *from, size_t count, uint16_t *to) {
    for (size_t i = 0; i < count; i += 32) {
        const char *at = (const char *)from + i * sizeof(float);
        const size_t left = count - i;
        const __mmask32 mask = left >= 32 ? ~(__mmask32)0 : ((__mmask32)1 << left) - 1;
        const __m512 low = _mm512_maskz_loadu_ps((__mmask16)mask, at);
        const __m512 high = _mm512_maskz_loadu_ps((__mmask16)(mask >> 16), at + 64);
        _mm512_storeu_si512(to + i, (__m512i)_mm512_cvtne2ps_pbh(high, low));
    }
}

#include "body.h"

static int supported(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("fma");
}

DEFINE_VARIANT(encoder_variant_avx512bf16, "AVX-512 BF16")
#else
typedef int encoder_without_avx512bf16;
#endif
