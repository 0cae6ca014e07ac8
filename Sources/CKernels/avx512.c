/// AVX-512 with VNNI: four sums of sixteen lanes a row, four rows at once; the end of a row by a masked load.
#if defined(__x86_64__)
#include "x86.h"

#define TARGET __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx512vnni,avx2,fma")))

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

/// Four codes share the loads of the query. By the instructions of VNNI, which add four products to a sum of 32 bits.
TARGET ALWAYS_INLINE void code_dots(
    const char *const *codes, const int8_t *query, size_t blocks, int bits, int32_t *sums) {
    const __m256i mask = _mm256_set1_epi8((char)((1 << bits) - 1));
    __m256i totals[4][2];
    for (int k = 0; k < 4; k++) totals[k][0] = totals[k][1] = _mm256_setzero_si256();
    for (size_t block = 0; block < blocks; block++) {
        __m256i bytes[4];
        for (int k = 0; k < 4; k++) bytes[k] = _mm256_loadu_si256((const __m256i *)(codes[k] + 32 * block));
#pragma clang loop unroll(full)
        for (int j = 0; j < 8 / bits; j++, query += 32) {
            const __m256i q = _mm256_loadu_si256((const __m256i *)query);
            for (int k = 0; k < 4; k++) {
                const __m256i part = _mm256_and_si256(shifted_by(bytes[k], j * bits), mask);
                totals[k][j & 1] = _mm256_dpbusd_epi32(totals[k][j & 1], part, q);
            }
        }
    }
    __m256i four[4];
    for (int k = 0; k < 4; k++) four[k] = _mm256_add_epi32(totals[k][0], totals[k][1]);
    sums_of_words(four, sums);
}

TARGET ALWAYS_INLINE float dot_bf16(const char *query, const char *row, size_t n) {
    __m512 sums[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
    for (size_t i = 0, j = 0; i < n; i += 16, j ^= 1) {
        const __mmask16 mask = n - i >= 16 ? 0xffff : (__mmask16)((1u << (n - i)) - 1);
        const __m256i half = _mm256_maskz_loadu_epi16(mask, row + i * 2);
        const __m512 wide = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
        sums[j] = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, query + i * 4), wide, sums[j]);
    }
    return _mm512_reduce_add_ps(_mm512_add_ps(sums[0], sums[1]));
}

/// The instruction multiplies unsigned by signed bytes: 128 is added to those of the row, and taken off again.
TARGET ALWAYS_INLINE int32_t dot_s8(const char *query, const char *row, size_t n) {
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    __m512i sums = _mm512_setzero_si512(), added = _mm512_setzero_si512();
    for (size_t i = 0; i < n; i += 64) {
        const __mmask64 mask = n - i >= 64 ? ~0ull : (1ull << (n - i)) - 1;
        const __m512i q = _mm512_maskz_loadu_epi8(mask, query + i);
        sums = _mm512_dpbusd_epi32(sums, _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, row + i), flip), q);
        added = _mm512_dpbusd_epi32(added, flip, q);
    }
    return _mm512_reduce_add_epi32(_mm512_sub_epi32(sums, added));
}

DEFINE_VARIANT(TARGET, 4, 1, 0)

static int supported(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx2")
        && __builtin_cpu_supports("fma");
}

const kernels_variant kernels_variant_avx512 = {
    "AVX-512", supported, dot, dots, gather, slots, dots_bf16, dots_s8, squared_norm, all_finite, rotate,
    estimates,
};
#endif
