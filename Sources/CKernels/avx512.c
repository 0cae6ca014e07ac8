/// AVX-512F: four sums of sixteen lanes a row, four rows at once; the end of a row by a masked load.
#include "variant.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")))

TARGET ALWAYS_INLINE void dot_rows(
    const char *query, const char *const *rows, size_t count, const uintptr_t *next, size_t n, float *out) {
    __m512 sums[4][4];
    for (size_t k = 0; k < count; k++) {
        for (int j = 0; j < 4; j++) sums[k][j] = _mm512_setzero_ps();
    }
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        size_t at = i * sizeof(float);
        for (int j = 0; j < 4; j++, at += 64) {
            __m512 q = _mm512_loadu_ps(query + at);
            for (size_t k = 0; k < count; k++) {
                sums[k][j] = _mm512_fmadd_ps(q, _mm512_loadu_ps(rows[k] + at), sums[k][j]);
            }
        }
        for (size_t k = 0; k < count; k++) {
            if (next[k] != 0) prefetch_bytes(next[k] + i * sizeof(float), 256);
        }
    }
    for (; i < n; i += 16) {
        size_t at = i * sizeof(float);
        __mmask16 mask = n - i >= 16 ? 0xffff : (__mmask16)((1u << (n - i)) - 1);
        __m512 q = _mm512_maskz_loadu_ps(mask, query + at);
        for (size_t k = 0; k < count; k++) {
            __m512 row = _mm512_maskz_loadu_ps(mask, rows[k] + at);
            sums[k][0] = _mm512_fmadd_ps(q, row, sums[k][0]);
            if (next[k] != 0) prefetch_bytes(next[k] + at, 64);
        }
    }
    for (size_t k = 0; k < count; k++) {
        out[k] = _mm512_reduce_add_ps(
            _mm512_add_ps(_mm512_add_ps(sums[k][0], sums[k][1]), _mm512_add_ps(sums[k][2], sums[k][3])));
    }
}

DEFINE_VARIANT(TARGET, 4)

static int supported(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx2")
        && __builtin_cpu_supports("fma");
}

const kernels_variant kernels_variant_avx512 = {
    "AVX-512", supported, dot, dots, gather, slots, squared_norm, all_finite,
};
#endif
