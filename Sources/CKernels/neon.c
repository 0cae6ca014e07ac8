/// NEON, which every aarch64 processor has: four sums of four lanes a row, four rows at once.
#include "variant.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#define TARGET

/// Loads by bytes, because a row may lie at any alignment.
ALWAYS_INLINE float32x4_t four_at(const char *address) {
    return vreinterpretq_f32_u8(vld1q_u8((const uint8_t *)address));
}

ALWAYS_INLINE void dot_rows(
    const char *query, const char *const *rows, size_t count, const uintptr_t *next, size_t n, float *out) {
    float32x4_t sums[4][4];
    float rest[4];
    for (size_t k = 0; k < count; k++) {
        for (int j = 0; j < 4; j++) sums[k][j] = vdupq_n_f32(0);
        rest[k] = 0;
    }
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        size_t at = i * sizeof(float);
        for (int j = 0; j < 4; j++, at += 16) {
            float32x4_t q = four_at(query + at);
            for (size_t k = 0; k < count; k++) {
                sums[k][j] = vfmaq_f32(sums[k][j], q, four_at(rows[k] + at));
            }
        }
        for (size_t k = 0; k < count; k++) {
            if (next[k] != 0) prefetch_bytes(next[k] + i * sizeof(float), 64);
        }
    }
    for (; i < n; i++) {
        float q = float_at(query, i);
        for (size_t k = 0; k < count; k++) rest[k] = __builtin_fmaf(q, float_at(rows[k], i), rest[k]);
    }
    for (size_t k = 0; k < count; k++) {
        float32x4_t sum = vaddq_f32(vaddq_f32(sums[k][0], sums[k][1]), vaddq_f32(sums[k][2], sums[k][3]));
        out[k] = vaddvq_f32(sum) + rest[k];
    }
}

/// Components are at most 15, so that sums of two products fit 16 bits.
ALWAYS_INLINE int32_t code_dot(const char *code, const int8_t *query, size_t blocks, int bits) {
    const uint8x16_t mask = vdupq_n_u8((uint8_t)((1 << bits) - 1));
    int32x4_t sums[2] = {vdupq_n_s32(0), vdupq_n_s32(0)};
    for (size_t block = 0; block < blocks; block++, code += 32) {
        for (int half = 0; half < 2; half++) {
            const uint8x16_t bytes = vld1q_u8((const uint8_t *)code + 16 * half);
            for (int shift = 0, j = 0; shift < 8; shift += bits, j++) {
                const uint8x16_t shifted = vshlq_u8(bytes, vdupq_n_s8((int8_t)-shift));
                const int8x16_t part = vreinterpretq_s8_u8(vandq_u8(shifted, mask));
                const int8x16_t q = vld1q_s8(query + 32 * j + 16 * half);
                const int16x8_t low = vmull_s8(vget_low_s8(part), vget_low_s8(q));
                const int16x8_t both = vmlal_s8(low, vget_high_s8(part), vget_high_s8(q));
                sums[half] = vpadalq_s16(sums[half], both);
            }
        }
        query += 32 * (8 / bits);
    }
    return vaddvq_s32(vaddq_s32(sums[0], sums[1]));
}

ALWAYS_INLINE void code_dots(
    const char *const *codes, const int8_t *query, size_t blocks, int bits, int32_t *sums) {
    for (size_t k = 0; k < CODES_TOGETHER; k++) sums[k] = code_dot(codes[k], query, blocks, bits);
}

ALWAYS_INLINE float dot_bf16(const char *query, const char *row, size_t n) {
    float32x4_t sums[2] = {vdupq_n_f32(0), vdupq_n_f32(0)};
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const uint16x8_t half = vreinterpretq_u16_u8(vld1q_u8((const uint8_t *)row + i * 2));
        const float32x4_t low = vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(half), 16));
        const float32x4_t high = vreinterpretq_f32_u32(vshll_n_u16(vget_high_u16(half), 16));
        sums[0] = vfmaq_f32(sums[0], four_at(query + i * 4), low);
        sums[1] = vfmaq_f32(sums[1], four_at(query + i * 4 + 16), high);
    }
    float sum = vaddvq_f32(vaddq_f32(sums[0], sums[1]));
    for (; i < n; i++) sum = __builtin_fmaf(float_at(query, i), bf16_at(row, i), sum);
    return sum;
}

ALWAYS_INLINE int32_t dot_s8(const char *query, const char *row, size_t n) {
    int32x4_t sums[2] = {vdupq_n_s32(0), vdupq_n_s32(0)};
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        const int8x16_t a = vld1q_s8((const int8_t *)query + i);
        const int8x16_t b = vld1q_s8((const int8_t *)row + i);
        sums[0] = vpadalq_s16(sums[0], vmull_s8(vget_low_s8(a), vget_low_s8(b)));
        sums[1] = vpadalq_s16(sums[1], vmull_s8(vget_high_s8(a), vget_high_s8(b)));
    }
    int32_t sum = vaddvq_s32(vaddq_s32(sums[0], sums[1]));
    for (; i < n; i++) sum += (int32_t)(int8_t)query[i] * (int8_t)row[i];
    return sum;
}

DEFINE_VARIANT(TARGET, 4, 1, STREAM_AHEAD)

static int supported(void) { return 1; }

const kernels_variant kernels_variant_neon = {
    "NEON", supported, dot, dots, gather, slots, dots_bf16, dots_s8, squared_norm, all_finite, rotate,
    estimates,
};
#endif
