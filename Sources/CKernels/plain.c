/// Plain C, which runs everywhere. Sixteen separate sums, so that the compiler may use what vector
/// instructions the processor is sure to have (SSE2 on x86_64).
#include "variant.h"

#define TARGET

ALWAYS_INLINE void dot_rows(
    const char *query, const char *const *rows, size_t count, const uintptr_t *next, size_t n, float *out) {
    for (size_t k = 0; k < count; k++) {
        float sums[16] = {0};
        size_t i = 0;
        for (; i + 16 <= n; i += 16) {
            float q[16], row[16];
            memcpy(q, query + i * sizeof(float), sizeof(q));
            memcpy(row, rows[k] + i * sizeof(float), sizeof(row));
            for (int lane = 0; lane < 16; lane++) sums[lane] += q[lane] * row[lane];
            if (next[k] != 0) prefetch_bytes(next[k] + i * sizeof(float), 64);
        }
        for (int lane = 0; i < n; i++, lane++) sums[lane] += float_at(query, i) * float_at(rows[k], i);
        for (int width = 8; width > 0; width /= 2) {
            for (int lane = 0; lane < width; lane++) sums[lane] += sums[lane + width];
        }
        out[k] = sums[0];
    }
}

ALWAYS_INLINE int32_t code_dot(const char *code, const int8_t *query, size_t blocks, int bits) {
    const uint8_t mask = (uint8_t)((1 << bits) - 1);
    int32_t sum = 0;
    for (size_t block = 0; block < blocks; block++, code += 32) {
        for (int shift = 0; shift < 8; shift += bits, query += 32) {
            for (int k = 0; k < 32; k++) sum += (((uint8_t)code[k] >> shift) & mask) * query[k];
        }
    }
    return sum;
}

ALWAYS_INLINE void code_dots(
    const char *const *codes, const int8_t *query, size_t blocks, int bits, int32_t *sums) {
    for (size_t k = 0; k < CODES_TOGETHER; k++) sums[k] = code_dot(codes[k], query, blocks, bits);
}

ALWAYS_INLINE float dot_bf16(const char *query, const char *row, size_t n) {
    float sums[16] = {0};
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        for (size_t lane = 0; lane < 16; lane++) {
            sums[lane] += float_at(query, i + lane) * bf16_at(row, i + lane);
        }
    }
    for (size_t lane = 0; i < n; i++, lane++) sums[lane] += float_at(query, i) * bf16_at(row, i);
    for (int width = 8; width > 0; width /= 2) {
        for (int lane = 0; lane < width; lane++) sums[lane] += sums[lane + width];
    }
    return sums[0];
}

ALWAYS_INLINE int32_t dot_s8(const char *query, const char *row, size_t n) {
    int32_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += (int32_t)(int8_t)query[i] * (int8_t)row[i];
    return sum;
}

DEFINE_VARIANT(TARGET, 1, 1, STREAM_AHEAD)

static int supported(void) { return 1; }

const kernels_variant kernels_variant_plain = {
    "plain C", supported, dot, dots, gather, slots, dots_bf16, dots_s8, squared_norm, all_finite, rotate,
    estimates,
};
