/// What the variants for x86_64 share. These functions need AVX2 only, which is part of every variant that calls them.
#ifndef LOCI_KERNELS_X86_H
#define LOCI_KERNELS_X86_H

#include "variant.h"
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

AVX2 ALWAYS_INLINE __m256i shifted_by(__m256i x, int count) {
    return count == 0 ? x : _mm256_srli_epi16(x, count);
}

/// The sum of eight whole numbers.
AVX2 ALWAYS_INLINE int32_t sum_of_words(__m256i x) {
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xb1));
    return _mm_cvtsi128_si32(four);
}

/// The sums of eight whole numbers each, of four together.
AVX2 ALWAYS_INLINE void sums_of_words(const __m256i x[4], int32_t sums[4]) {
    const __m256i low = _mm256_hadd_epi32(x[0], x[1]), high = _mm256_hadd_epi32(x[2], x[3]);
    const __m256i both = _mm256_hadd_epi32(low, high);
    _mm_storeu_si128(
        (__m128i *)sums, _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1)));
}

#endif
