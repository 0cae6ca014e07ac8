/// Distance kernels over floats of 32 and 16 bits, over signed bytes and over short codes.
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

/// As `kernels_dots_f32`, over rows of `n` bfloat16 numbers: the upper half of a 32-bit float each.
void kernels_dots_bf16(
    const float *query, const void *rows, size_t stride_bytes, size_t rows_count, size_t n, float *out);

/// Rounds `n` floats to the nearest bfloat16, to the even one of two that are as near. What is not a number stays so.
void kernels_bf16_of_f32(const float *x, size_t n, uint16_t *out);

/// As `kernels_dots_f32`, over rows of `n` signed bytes, 65,536 of them at most: exact, whatever the bytes.
void kernels_dots_s8(
    const int8_t *query, const void *rows, size_t stride_bytes, size_t rows_count, size_t n, int32_t *out);

/// Rows that lie in segments: row i is row `i % rows_per_segment` of segment `i / rows_per_segment`.
typedef struct {
    /// Where each segment begins.
    const void *const *segments;
    uint32_t rows_per_segment;
    /// 2^64 / rows_per_segment, rounded up; 0 where there is one row to a segment.
    uint64_t reciprocal;
    /// Bytes from the beginning of a segment to its first row, from row to row, and to the auxiliary numbers.
    size_t first_row, stride, first_auxiliary;
    /// Floats of a row.
    size_t dimension;
} kernels_segments;

/// Inner products of `query` with the rows in `slots`, and their auxiliary numbers: those of slot `slots[i]`
/// go to `dots[i]` and `auxiliaries[i]`. The rows ahead are prefetched.
void kernels_dots_f32_slots(
    const kernels_segments *rows, const float *query, const uint32_t *slots, size_t slots_count, float *dots,
    float *auxiliaries);

// Short codes of rows (after Gao and Long, "RaBitQ", 2024, and Gao et al., 2025, for more bits than one). A row is
// rotated at random and each component kept in 1, 2 or 4 bits; with two numbers beside them, the inner product of the
// code with a rotated query in 8 bits becomes an estimate of the score.

/// Codes that lie in pages: that of slot i is code `i % codes_per_page` of page `i / codes_per_page`. A code is `blocks`
/// blocks of 32 bytes and two floats behind them. Bits `b * j` to `b * (j + 1)` of byte k of block i, for `b` bits a
/// component, are component `32 * (8 / b * i + j) + k`.
typedef struct {
    /// Where each page begins.
    const void *const *pages;
    uint32_t codes_per_page;
    /// 2^64 / codes_per_page, rounded up; 0 where there is one code to a page.
    uint64_t reciprocal;
    /// Bytes from the beginning of a page to its first code, and from code to code.
    size_t first_code, stride;
    size_t blocks;
    /// Of a component: 1, 2 or 4.
    uint32_t bits;
    /// Whether the first page holds all codes.
    uint32_t is_one_page;
} kernels_codes;

/// For each of `slots`, f * (scale * s - offset) + g, where s is the sum of the products of the code's components with
/// those of `query`, and f and g are the floats behind the code. The query has `256 / bits` components for each block.
/// Codes are prefetched.
void kernels_estimates(
    const kernels_codes *codes, const int8_t *query, float scale, float offset, const uint32_t *slots,
    size_t slots_count, float *out);

/// Turns a vector of `n` floats, a multiple of 64, by `rounds` rounds of changing signs (`n` of them for each round, 1
/// or -1), a Hadamard transform over the largest power of two that fits, at the beginning and at the end by turns,
/// and, unless that is all of it, a mixing of its halves. Lengths stay. O(n log n). The same bits in every variant.
void kernels_rotate_f32(float *x, size_t n, const float *signs, size_t rounds);

/// Multiplies `n` floats, a multiple of 32, by 127 / the largest of them without its sign, and rounds them to the
/// nearest. Returns what one of them is worth; `sum` becomes their sum.
float kernels_quantize_s8(const float *x, size_t n, int8_t *out, int32_t *sum);

/// Codes `blocks * 256 / bits` floats as in `kernels_codes`, without what is behind a code. The components stand for
/// themselves + 0.5 - 2^(bits - 1); the step between two is the one of nine that keeps the direction best. `product`
/// becomes the inner product of what they stand for with the floats. The same bits on every machine.
void kernels_encode(const float *x, size_t blocks, uint32_t bits, void *code, float *product);

/// Asks for the `bytes` bytes at `address`, which need not be mapped.
static inline void kernels_prefetch(const void *address, size_t bytes) {
    for (size_t offset = 0; offset < bytes; offset += 64) {
        __builtin_prefetch((const char *)address + offset, 0, 3);
    }
}

// Lists of neighbors. An entry's low 31 bits are a slot; a slot of `bound` or more ends the list. `visited`
// and `matching` have a bit for each slot below `bound`.

/// Marks the slots of a list as visited; those that were not go to `out` (room for `length`), and their count
/// is returned.
size_t kernels_unvisited(
    const void *list, size_t length, uint32_t bound, uint64_t *visited, uint32_t *out);

/// Prefetches the codes of a list's slots that are not marked as visited, and marks none.
void kernels_prefetch_codes(
    const kernels_codes *codes, const void *list, size_t length, uint32_t bound, const uint64_t *visited);

/// As `kernels_unvisited`, but what does not match goes to `others`, which has room for `length` too.
size_t kernels_unvisited_matching(
    const void *list, size_t length, uint32_t bound, uint64_t *visited, const uint64_t *matching,
    uint32_t *out, uint32_t *others, size_t *others_count);

/// As `kernels_unvisited`, but what does not match is passed over, and not marked.
size_t kernels_unvisited_only_matching(
    const void *list, size_t length, uint32_t bound, uint64_t *visited, const uint64_t *matching,
    uint32_t *out);

/// Sets bit i of `out` for each of `count` passages (32-bit, at any alignment) whose bit is set in `filter`, which has
/// `words_count` words; passages beyond them do not match. Returns how many do. `out` must have been zero there, and
/// begin at a multiple of 16 bits of its own: `out` is the word that bit 0 lies in, `first_bit` its place there.
size_t kernels_match(
    const void *passages, size_t count, const uint64_t *filter, size_t words_count, uint64_t *out,
    size_t first_bit);

/// As `kernels_match` of the `count` passages from `first` on. `out` may begin at any bit.
size_t kernels_match_run(
    uint32_t first, size_t count, const uint64_t *filter, size_t words_count, uint64_t *out, size_t first_bit);

/// Whether passages (as in `kernels_match`) are numbers that follow one another.
int kernels_is_run(const void *passages, size_t count);

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
void kernels_dots_f32_slots_variant(
    int variant, const kernels_segments *rows, const float *query, const uint32_t *slots, size_t slots_count,
    float *dots, float *auxiliaries);
void kernels_dots_bf16_variant(
    int variant, const float *query, const void *rows, size_t stride_bytes, size_t rows_count, size_t n,
    float *out);
void kernels_dots_s8_variant(
    int variant, const int8_t *query, const void *rows, size_t stride_bytes, size_t rows_count, size_t n,
    int32_t *out);
double kernels_squared_norm_f32_variant(int variant, const float *a, size_t n);
int kernels_all_finite_f32_variant(int variant, const float *a, size_t n);
void kernels_rotate_f32_variant(int variant, float *x, size_t n, const float *signs, size_t rounds);
void kernels_estimates_variant(
    int variant, const kernels_codes *codes, const int8_t *query, float scale, float offset,
    const uint32_t *slots, size_t slots_count, float *out);

#ifdef __cplusplus
}
#endif

#endif
