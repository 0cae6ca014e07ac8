/// What a variant consists of, and the loops that are the same source in each of them.
///
/// `DEFINE_VARIANT` writes the public functions of a variant around one function of its own, `dot_rows`,
/// which every file defines for its instructions before it uses the macro. All functions of a variant
/// carry the same target attribute: the compiler inlines across equal targets only.
#ifndef LOCI_KERNELS_VARIANT_H
#define LOCI_KERNELS_VARIANT_H

#include "kernels.h"
#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

typedef struct {
    const char *name;
    int (*supported)(void);
    float (*dot)(const float *, const float *, size_t);
    void (*dots)(const float *, const void *, size_t, size_t, size_t, float *);
    void (*gather)(const float *, const void *, size_t, const uint32_t *, size_t, size_t, float *);
    void (*slots)(const kernels_segments *, const float *, const uint32_t *, size_t, float *, float *);
    void (*dots_bf16)(const float *, const void *, size_t, size_t, size_t, float *);
    void (*dots_s8)(const int8_t *, const void *, size_t, size_t, size_t, int32_t *);
    double (*squared_norm)(const float *, size_t);
    int (*all_finite)(const float *, size_t);
    void (*rotate)(float *, size_t, const float *, size_t);
    void (*estimates)(
        const kernels_codes *, const int8_t *, float, float, const uint32_t *, size_t, float *);
} kernels_variant;

extern const kernels_variant kernels_variant_plain;
#if defined(__x86_64__)
extern const kernels_variant kernels_variant_avx2;
extern const kernels_variant kernels_variant_avx512;
#elif defined(__aarch64__)
extern const kernels_variant kernels_variant_neon;
#endif

/// A float at any alignment, by its index.
ALWAYS_INLINE float float_at(const char *base, size_t index) {
    float value;
    memcpy(&value, base + index * sizeof(float), sizeof(float));
    return value;
}

/// A bfloat16 number at any alignment, by its index.
ALWAYS_INLINE float bf16_at(const char *base, size_t index) {
    uint16_t half;
    memcpy(&half, base + index * sizeof(half), sizeof(half));
    const uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/// Asks for the `bytes` bytes at `address`, a cache line at a time. An address that is not mapped is
/// no fault, so the lines behind the last row may be asked for. Address 0 means none.
ALWAYS_INLINE void prefetch_bytes(uintptr_t address, size_t bytes) {
    if (address == 0) return;
    for (size_t offset = 0; offset < bytes; offset += 64) {
        __builtin_prefetch((const void *)(address + offset), 0, 3);
    }
}

/// The segment of a slot, and where its row begins.
ALWAYS_INLINE const char *segment_of(const kernels_segments *rows, uint32_t slot, uint32_t *index) {
    uint64_t segment = rows->reciprocal == 0
        ? slot
        : (uint64_t)(((unsigned __int128)slot * rows->reciprocal) >> 64);
    *index = slot - (uint32_t)segment * rows->rows_per_segment;
    return rows->segments[segment];
}

ALWAYS_INLINE const char *row_of(const kernels_segments *rows, uint32_t slot, const char **auxiliary) {
    uint32_t index;
    const char *segment = segment_of(rows, slot, &index);
    *auxiliary = segment + rows->first_auxiliary + index * sizeof(float);
    return segment + rows->first_row + index * rows->stride;
}

/// Sixteen sums, of every sixteenth square each. A square of a 24-bit significand fits the 53 bits of a
/// double, so a fused multiply-add rounds as a multiplication and an addition do.
ALWAYS_INLINE double squared_norm_body(const float *a, size_t n) {
    const char *bytes = (const char *)a;
    double sums[16] = {0};
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        float x[16];
        memcpy(x, bytes + i * sizeof(float), sizeof(x));
        for (int lane = 0; lane < 16; lane++) sums[lane] += (double)x[lane] * (double)x[lane];
    }
    for (int lane = 0; i < n; i++, lane++) {
        double x = (double)float_at(bytes, i);
        sums[lane] += x * x;
    }
    for (int width = 8; width > 0; width /= 2) {
        for (int lane = 0; lane < width; lane++) sums[lane] += sums[lane + width];
    }
    return sums[0];
}

/// A float is finite if its bits without the sign are below those of infinity.
ALWAYS_INLINE int all_finite_body(const float *a, size_t n) {
    const char *bytes = (const char *)a;
    int32_t largest = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t bits;
        memcpy(&bits, bytes + i * sizeof(bits), sizeof(bits));
        bits &= 0x7fffffff;
        largest = bits > largest ? bits : largest;
    }
    return largest < 0x7f800000;
}

/// The butterflies of a Hadamard transform over `n` floats, a power of two from 64 on, each multiplied by `factor` in
/// the end. Nothing but sums and products of two numbers, so that every variant has the same bits.
ALWAYS_INLINE void hadamard_body(float *x, size_t n, float factor) {
    for (size_t i = 0; i < n; i += 8) {
        float a[8], b[8];
        for (int j = 0; j < 8; j++) a[j] = (j & 1) == 0 ? x[i + j] + x[i + j + 1] : x[i + j - 1] - x[i + j];
        for (int j = 0; j < 8; j++) b[j] = (j & 2) == 0 ? a[j] + a[j + 2] : a[j - 2] - a[j];
        for (int j = 0; j < 8; j++) x[i + j] = (j & 4) == 0 ? b[j] + b[j + 4] : b[j - 4] - b[j];
    }
    for (size_t half = 8; half < n; half *= 2) {
        for (size_t i = 0; i < n; i += 2 * half) {
            for (size_t j = i; j < i + half; j++) {
                const float a = x[j], b = x[j + half];
                x[j] = a + b;
                x[j + half] = a - b;
            }
        }
    }
    for (size_t i = 0; i < n; i++) x[i] *= factor;
}

ALWAYS_INLINE void rotate_body(float *x, size_t n, const float *signs, size_t rounds) {
    size_t power = 64;
    while (power * 2 <= n) power *= 2;
    float factor = 1;
    for (size_t p = power; p > 1; p /= 4) factor *= p == 2 ? 0.70710678f : 0.5f;
    for (size_t round = 0; round < rounds; round++, signs += n) {
        for (size_t i = 0; i < n; i++) x[i] *= signs[i];
        hadamard_body((round & 1) == 0 ? x : x + n - power, power, factor);
        if (power == n) continue;
        // The halves are mixed, as the transform covers only a part.
        for (size_t i = 0, j = n / 2; i < n / 2; i++, j++) {
            const float a = x[i], b = x[j];
            x[i] = (a + b) * 0.70710678f;
            x[j] = (a - b) * 0.70710678f;
        }
    }
}

/// Where the code of a slot begins.
ALWAYS_INLINE const char *code_of(const kernels_codes *codes, uint32_t slot) {
    const uint64_t page = codes->reciprocal == 0
        ? slot
        : (uint64_t)(((unsigned __int128)slot * codes->reciprocal) >> 64);
    const uint32_t index = slot - (uint32_t)page * codes->codes_per_page;
    return (const char *)codes->pages[page] + codes->first_code + index * codes->stride;
}

/// The same where all codes lie in one page.
ALWAYS_INLINE const char *code_in_page(const kernels_codes *codes, uint32_t slot) {
    return (const char *)codes->pages[0] + codes->first_code + (size_t)slot * codes->stride;
}

/// How many codes are asked for before the first is read, those of a hop as a rule, and how many are read at once.
enum { CODES_AHEAD = 32, CODES_TOGETHER = 4 };

/// Asks for the codes of the first slots, `CODES_AHEAD` of them at most. Returns how many, whose addresses are in `code`,
/// the last one again and again up to a multiple of `CODES_TOGETHER`.
ALWAYS_INLINE size_t ask_for_codes(
    const kernels_codes *codes, const uint32_t *slots, size_t count, const char *code[CODES_AHEAD]) {
    const size_t n = count < CODES_AHEAD ? count : CODES_AHEAD;
    if (codes->is_one_page) {
        for (size_t i = 0; i < n; i++) code[i] = code_in_page(codes, slots[i]);
    } else {
        for (size_t i = 0; i < n; i++) code[i] = code_of(codes, slots[i]);
    }
    for (size_t i = 0; i < n; i++) prefetch_bytes((uintptr_t)code[i], codes->blocks * 32 + 8);
    for (size_t i = n; i % CODES_TOGETHER != 0; i++) code[i] = code[n - 1];
    return n;
}

/// How far ahead to prefetch: bytes where rows lie in order, rows where they are chosen.
enum { STREAM_AHEAD = 2048, GATHER_AHEAD = 4, SLOTS_AHEAD = 4 };

enum { CACHE_LINE = 64, LONGEST_COPIED_QUERY = 16384 };

/// The query at the beginning of a cache line, in the place of `copy` where it does not begin at one: nearly every load of
/// it would take from two lines, for each row again (a third more time in cache with AVX-512).
ALWAYS_INLINE const char *aligned_query(const float *query, size_t n, size_t rows, char *copy) {
    const size_t bytes = n * sizeof(float);
    if ((uintptr_t)query % CACHE_LINE == 0 || rows < 4 || bytes > LONGEST_COPIED_QUERY) return (const char *)query;
    return memcpy(copy, query, bytes);
}

/// Defines the functions of a variant with the target attribute `TARGET`.
///
/// `dots_bf16` calls `dot_bf16(query, row, n)`, and `dots_s8` calls `dot_s8(query, row, n)`, which need not prefetch.
/// `estimates` calls `code_dots(codes, query, blocks, bits, sums)`, with constant `bits`: for `CODES_TOGETHER` codes the
/// sums of the products of their components with the query's. The others call
/// `dot_rows(query, rows, count, next, n, out)`, with a constant `count`: it computes the products with `count` rows at
/// once and prefetches as many bytes at the addresses in `next`. How a row is summed does not depend on `count`, so its
/// product has the same bits from every caller.
///
/// Rows in order are taken `STREAMS` at a time, chosen ones `GROUP` at a time, as many as the registers hold. Measured on
/// Zen 4 and 5 (AVX-512): rows in order come fastest from memory one at a time, as one stream; three at a time take twice as
/// long there, and 0.8 of the time in cache. On Zen 3 (AVX2) three share the loads of the query. One stream is asked for
/// `AHEAD` bytes ahead; 0 leaves that to the processor, which on Zen 4 is as fast from memory and 0.9 of the time in cache.
#define DEFINE_VARIANT(TARGET, GROUP, STREAMS, AHEAD)                                                      \
    TARGET static float dot(const float *a, const float *b, size_t n) {                                    \
        const char *row = (const char *)b;                                                                 \
        const uintptr_t none = 0;                                                                          \
        float out;                                                                                         \
        dot_rows((const char *)a, &row, 1, &none, n, &out);                                                \
        return out;                                                                                        \
    }                                                                                                      \
                                                                                                           \
    TARGET static void dots(                                                                               \
        const float *query, const void *rows, size_t stride, size_t count, size_t n, float *out) {         \
        char copy[LONGEST_COPIED_QUERY] __attribute__((aligned(CACHE_LINE)));                              \
        const char *q = aligned_query(query, n, count, copy);                                              \
        const char *row = rows;                                                                            \
        size_t i = 0;                                                                                      \
        for (; i + STREAMS <= count; i += STREAMS) {                                                       \
            const char *now[STREAMS];                                                                      \
            uintptr_t next[STREAMS];                                                                       \
            for (size_t k = 0; k < STREAMS; k++, row += stride) {                                          \
                now[k] = row;                                                                              \
                next[k] = STREAMS > 1 ? (uintptr_t)row + STREAMS * stride                                  \
                    : AHEAD == 0 ? 0 : (uintptr_t)row + AHEAD;                                             \
            }                                                                                              \
            dot_rows(q, now, STREAMS, next, n, out + i);                                                   \
        }                                                                                                  \
        for (; i < count; i++, row += stride) {                                                            \
            const uintptr_t next = AHEAD == 0 ? 0 : (uintptr_t)row + AHEAD;                                \
            dot_rows(q, &row, 1, &next, n, out + i);                                                       \
        }                                                                                                  \
    }                                                                                                      \
                                                                                                           \
    TARGET static void dots_bf16(                                                                          \
        const float *query, const void *rows, size_t stride, size_t count, size_t n, float *out) {         \
        const char *row = rows;                                                                            \
        for (size_t i = 0; i < count; i++, row += stride) {                                                \
            prefetch_bytes((uintptr_t)row + STREAM_AHEAD, stride);                                         \
            out[i] = dot_bf16((const char *)query, row, n);                                                \
        }                                                                                                  \
    }                                                                                                      \
                                                                                                           \
    TARGET static void dots_s8(                                                                            \
        const int8_t *query, const void *rows, size_t stride, size_t count, size_t n, int32_t *out) {      \
        const char *row = rows;                                                                            \
        for (size_t i = 0; i < count; i++, row += stride) {                                                \
            prefetch_bytes((uintptr_t)row + STREAM_AHEAD, stride);                                         \
            out[i] = dot_s8((const char *)query, row, n);                                                  \
        }                                                                                                  \
    }                                                                                                      \
                                                                                                           \
    TARGET static void gather(                                                                             \
        const float *query, const void *base, size_t stride, const uint32_t *rows, size_t count,           \
        size_t n, float *out) {                                                                            \
        const char *first = base;                                                                          \
        for (size_t i = 0; i < GATHER_AHEAD && i < count; i++) {                                           \
            prefetch_bytes((uintptr_t)(first + rows[i] * stride), n * sizeof(float));                      \
        }                                                                                                  \
        size_t i = 0;                                                                                      \
        for (; i + GROUP <= count; i += GROUP) {                                                           \
            const char *now[GROUP];                                                                        \
            uintptr_t next[GROUP];                                                                         \
            for (size_t k = 0; k < GROUP; k++) {                                                           \
                size_t ahead = i + k + GATHER_AHEAD;                                                       \
                now[k] = first + rows[i + k] * stride;                                                     \
                next[k] = ahead < count ? (uintptr_t)(first + rows[ahead] * stride) : 0;                   \
            }                                                                                              \
            dot_rows((const char *)query, now, GROUP, next, n, out + i);                                   \
        }                                                                                                  \
        for (; i < count; i++) {                                                                           \
            const char *now = first + rows[i] * stride;                                                    \
            const uintptr_t none = 0;                                                                      \
            dot_rows((const char *)query, &now, 1, &none, n, out + i);                                     \
        }                                                                                                  \
    }                                                                                                      \
                                                                                                           \
    TARGET static void slots(                                                                              \
        const kernels_segments *rows, const float *query, const uint32_t *slots, size_t count, float *dots,\
        float *auxiliaries) {                                                                              \
        const size_t n = rows->dimension;                                                                  \
        const char *row[SLOTS_AHEAD], *auxiliary[SLOTS_AHEAD];                                             \
        for (size_t i = 0; i < SLOTS_AHEAD && i < count; i++) {                                            \
            row[i] = row_of(rows, slots[i], &auxiliary[i]);                                                \
            __builtin_prefetch(auxiliary[i], 0, 3);                                                        \
            prefetch_bytes((uintptr_t)row[i], n * sizeof(float));                                          \
        }                                                                                                  \
        size_t i = 0;                                                                                      \
        while (i < count) {                                                                                \
            const size_t group = i + GROUP <= count ? GROUP : 1;                                           \
            const char *now[GROUP], *aux[GROUP];                                                           \
            uintptr_t next[GROUP];                                                                         \
            for (size_t k = 0; k < group; k++) {                                                           \
                const size_t ahead = i + k + SLOTS_AHEAD;                                                  \
                const size_t place = (i + k) % SLOTS_AHEAD;                                                \
                now[k] = row[place];                                                                       \
                aux[k] = auxiliary[place];                                                                 \
                next[k] = 0;                                                                               \
                if (ahead < count) {                                                                       \
                    row[place] = row_of(rows, slots[ahead], &auxiliary[place]);                            \
                    __builtin_prefetch(auxiliary[place], 0, 3);                                            \
                    next[k] = (uintptr_t)row[place];                                                       \
                }                                                                                          \
            }                                                                                              \
            if (group == GROUP) {                                                                          \
                dot_rows((const char *)query, now, GROUP, next, n, dots + i);                              \
            } else {                                                                                       \
                dot_rows((const char *)query, now, 1, next, n, dots + i);                                  \
            }                                                                                              \
            for (size_t k = 0; k < group; k++) auxiliaries[i + k] = float_at(aux[k], 0);                   \
            i += group;                                                                                    \
        }                                                                                                  \
    }                                                                                                      \
                                                                                                           \
    TARGET static double squared_norm(const float *a, size_t n) { return squared_norm_body(a, n); }        \
    TARGET static int all_finite(const float *a, size_t n) { return all_finite_body(a, n); }               \
    TARGET static void rotate(float *x, size_t n, const float *signs, size_t rounds) {                     \
        rotate_body(x, n, signs, rounds);                                                                  \
    }                                                                                                      \
                                                                                                           \
    TARGET ALWAYS_INLINE void estimates_of(                                                                \
        const kernels_codes *codes, const int8_t *query, float scale, float offset, const uint32_t *slots, \
        size_t count, float *out, int bits) {                                                              \
        const size_t blocks = codes->blocks;                                                               \
        const char *code[2][CODES_AHEAD];                                                                  \
        size_t n = ask_for_codes(codes, slots, count, code[0]);                                            \
        for (size_t chunk = 0; n > 0; chunk ^= 1) {                                                        \
            const char **now = code[chunk];                                                                \
            const size_t next = ask_for_codes(codes, slots + n, count - n, code[chunk ^ 1]);               \
            for (size_t i = 0; i < n; i += CODES_TOGETHER) {                                               \
                int32_t sums[CODES_TOGETHER];                                                              \
                code_dots(now + i, query, blocks, bits, sums);                                             \
                for (size_t k = 0; k < CODES_TOGETHER && i + k < n; k++) {                                 \
                    const char *factors = now[i + k] + blocks * 32;                                        \
                    const float product = scale * (float)sums[k] - offset;                                 \
                    out[i + k] = float_at(factors, 0) * product + float_at(factors, 1);                    \
                }                                                                                          \
            }                                                                                              \
            slots += n;                                                                                    \
            out += n;                                                                                      \
            count -= n;                                                                                    \
            n = next;                                                                                      \
        }                                                                                                  \
    }                                                                                                      \
                                                                                                           \
    TARGET static void estimates(                                                                          \
        const kernels_codes *codes, const int8_t *query, float scale, float offset, const uint32_t *slots, \
        size_t count, float *out) {                                                                        \
        switch (codes->bits) {                                                                             \
        case 1: estimates_of(codes, query, scale, offset, slots, count, out, 1); break;                    \
        case 2: estimates_of(codes, query, scale, offset, slots, count, out, 2); break;                    \
        default: estimates_of(codes, query, scale, offset, slots, count, out, 4);                          \
        }                                                                                                  \
    }

#endif
