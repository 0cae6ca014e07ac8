/// Distance kernels over 32-bit floats.
///
/// Each kernel exists in several variants: AVX-512, AVX2 with FMA, NEON and plain C. The best one that
/// this processor can run is chosen once, when the program is loaded, so one binary suits all machines.
///
/// - Numbers are little-endian, as the machine's own. Vectors may lie at any alignment.
/// - Nothing is checked here: the caller has checked lengths and pointers.
/// - Within one variant a row has the same inner product, to the last bit, whichever of the three
///   functions computes it. Variants add up in different orders, so between them the last bits differ.
#ifndef LOCI_KERNELS_H
#define LOCI_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Inner product of `a` and `b`, `n` floats each. O(n).
float kernels_dot_f32(const float *a, const float *b, size_t n);

/// Inner products of `query` with `rows_count` rows of `n` floats. Row i begins `i * stride_bytes` bytes
/// after `rows`; its product goes to `out[i]`. What comes next is prefetched.
void kernels_dots_f32(
    const float *query, const void *rows, size_t stride_bytes, size_t rows_count, size_t n, float *out);

/// As `kernels_dots_f32`, over chosen rows: `out[i]` is the product with the row that begins
/// `rows[i] * stride_bytes` bytes after `base`.
void kernels_dots_f32_gather(
    const float *query, const void *base, size_t stride_bytes, const uint32_t *rows, size_t rows_count,
    size_t n, float *out);

/// Sum of the squares of `n` floats, in 64-bit floats. The squares are exact and are added in one fixed
/// order, so that the result is the same to the last bit on every machine and in every variant.
double kernels_squared_norm_f32(const float *a, size_t n);

/// 1 if none of `n` floats is infinite or not a number, otherwise 0.
int kernels_all_finite_f32(const float *a, size_t n);

// The variants, for tests and benchmarks. A variant is a number from 0 to `kernels_variant_count() - 1`,
// the fastest first; the last is plain C and runs everywhere. Call only a supported one.

int kernels_variant_count(void);
const char *kernels_variant_name(int variant);
/// 1 if this processor and operating system can run it, otherwise 0.
int kernels_variant_supported(int variant);
/// The variant that the functions above use.
int kernels_variant_active(void);

float kernels_dot_f32_variant(int variant, const float *a, const float *b, size_t n);
void kernels_dots_f32_variant(
    int variant, const float *query, const void *rows, size_t stride_bytes, size_t rows_count, size_t n,
    float *out);
void kernels_dots_f32_gather_variant(
    int variant, const float *query, const void *base, size_t stride_bytes, const uint32_t *rows,
    size_t rows_count, size_t n, float *out);
double kernels_squared_norm_f32_variant(int variant, const float *a, size_t n);
int kernels_all_finite_f32_variant(int variant, const float *a, size_t n);

#ifdef __cplusplus
}
#endif

#endif
