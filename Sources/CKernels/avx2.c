/// AVX2 with FMA: four sums of eight lanes a row, two chosen rows at once, three in order; the end of a row by a masked load.
#if defined(__x86_64__)
#include "x86.h"

#define TARGET __attribute__((target("avx2,fma")))

/// Eight words that begin at index 8 - k of this table mask the first k lanes in.
static const int32_t lane_masks[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

TARGET ALWAYS_INLINE float sum_of_lanes(__m256 x) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

TARGET ALWAYS_INLINE void dot_rows(
    const char *query, const char *const *rows, size_t count, const uintptr_t *next, size_t n, float *out) {
    __m256 sums[3][4];
    for (size_t k = 0; k < count; k++) {
        for (int j = 0; j < 4; j++) sums[k][j] = _mm256_setzero_ps();
    }
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        size_t at = i * sizeof(float);
        for (int j = 0; j < 4; j++, at += 32) {
            __m256 q = _mm256_loadu_ps((const float *)(query + at));
            for (size_t k = 0; k < count; k++) {
                __m256 row = _mm256_loadu_ps((const float *)(rows[k] + at));
                sums[k][j] = _mm256_fmadd_ps(q, row, sums[k][j]);
            }
        }
        for (size_t k = 0; k < count; k++) {
            if (next[k] != 0) prefetch_bytes(next[k] + i * sizeof(float), 128);
        }
    }
    for (; i < n; i += 8) {
        size_t at = i * sizeof(float);
        size_t lanes = n - i >= 8 ? 8 : n - i;
        __m256i mask = _mm256_loadu_si256((const __m256i *)(lane_masks + 8 - lanes));
        __m256 q = _mm256_maskload_ps((const float *)(query + at), mask);
        for (size_t k = 0; k < count; k++) {
            __m256 row = _mm256_maskload_ps((const float *)(rows[k] + at), mask);
            sums[k][0] = _mm256_fmadd_ps(q, row, sums[k][0]);
            if (next[k] != 0) prefetch_bytes(next[k] + at, 32);
        }
    }
    for (size_t k = 0; k < count; k++) {
        out[k] = sum_of_lanes(
            _mm256_add_ps(_mm256_add_ps(sums[k][0], sums[k][1]), _mm256_add_ps(sums[k][2], sums[k][3])));
    }
}

/// Four codes share the loads of the query. Products are added in 16 bits while they surely fit: of 4 blocks with 4 bits
/// (8 sums of two products of 15 × 127), of 8 with less.
TARGET ALWAYS_INLINE void code_dots(
    const char *const *codes, const int8_t *query, size_t blocks, int bits, int32_t *sums) {
    const __m256i mask = _mm256_set1_epi8((char)((1 << bits) - 1));
    const __m256i one = _mm256_set1_epi16(1);
    const size_t together = bits == 4 ? 4 : 8;
    __m256i totals[4];
    for (int k = 0; k < 4; k++) totals[k] = _mm256_setzero_si256();
    for (size_t first = 0; first < blocks; first += together) {
        const size_t end = first + together < blocks ? first + together : blocks;
        __m256i parts[4];
        for (int k = 0; k < 4; k++) parts[k] = _mm256_setzero_si256();
        for (size_t block = first; block < end; block++) {
            __m256i bytes[4];
            for (int k = 0; k < 4; k++) bytes[k] = _mm256_loadu_si256((const __m256i *)(codes[k] + 32 * block));
#pragma clang loop unroll(full)
            for (int j = 0; j < 8 / bits; j++, query += 32) {
                const __m256i q = _mm256_loadu_si256((const __m256i *)query);
                for (int k = 0; k < 4; k++) {
                    const __m256i part = _mm256_and_si256(shifted_by(bytes[k], j * bits), mask);
                    parts[k] = _mm256_add_epi16(parts[k], _mm256_maddubs_epi16(part, q));
                }
            }
        }
        for (int k = 0; k < 4; k++) totals[k] = _mm256_add_epi32(totals[k], _mm256_madd_epi16(parts[k], one));
    }
    sums_of_words(totals, sums);
}

TARGET ALWAYS_INLINE float dot_bf16(const char *query, const char *row, size_t n) {
    __m256 sums[4];
    for (int j = 0; j < 4; j++) sums[j] = _mm256_setzero_ps();
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        for (size_t j = 0; j < 4; j++) {
            const __m128i half = _mm_loadu_si128((const __m128i *)(row + (i + 8 * j) * 2));
            const __m256 wide = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
            sums[j] = _mm256_fmadd_ps(_mm256_loadu_ps((const float *)(query + (i + 8 * j) * 4)), wide, sums[j]);
        }
    }
    float sum = sum_of_lanes(_mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3])));
    for (; i < n; i++) sum = __builtin_fmaf(float_at(query, i), bf16_at(row, i), sum);
    return sum;
}

TARGET ALWAYS_INLINE int32_t dot_s8(const char *query, const char *row, size_t n) {
    __m256i sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        for (size_t j = 0; j < 2; j++) {
            const __m256i a = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(query + i + 16 * j)));
            const __m256i b = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(row + i + 16 * j)));
            sums[j] = _mm256_add_epi32(sums[j], _mm256_madd_epi16(a, b));
        }
    }
    int32_t sum = sum_of_words(_mm256_add_epi32(sums[0], sums[1]));
    for (; i < n; i++) sum += (int32_t)(int8_t)query[i] * (int8_t)row[i];
    return sum;
}

DEFINE_VARIANT(TARGET, 2, 3, STREAM_AHEAD)

static int supported(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

const kernels_variant kernels_variant_avx2 = {
    "AVX2", supported, dot, dots, gather, slots, dots_bf16, dots_s8, squared_norm, all_finite, rotate,
    estimates,
};
#endif
