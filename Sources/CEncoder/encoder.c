/// The variants by their numbers, and what is the same in all of them.
#include "encoder.h"
#include "variant.h"
#include <math.h>
#include <string.h>

/// The fastest first.
static const encoder_variant *const variants[] = {
#if defined(__x86_64__)
    &encoder_variant_avx512bf16,
    &encoder_variant_avx512vnni,
    &encoder_variant_avx512,
    &encoder_variant_avx2int16,
    &encoder_variant_avx2,
#elif defined(__aarch64__)
    &encoder_variant_neon,
#endif
    &encoder_variant_plain,
};

enum { variant_count = sizeof(variants) / sizeof(variants[0]) };

int encoder_variant_count(void) { return variant_count; }
const char *encoder_variant_name(int variant) { return variants[variant]->name; }
int encoder_variant_supported(int variant) { return variants[variant]->supported(); }
int encoder_variant_rounds(int variant) { return variants[variant]->rounds; }

/// Whether a processor that can run it has something faster behind it: those of Intel multiply bfloat16 numbers at a quarter of
/// the rate of 16-bit whole numbers, and those of AMD at the same rate.
static int is_slow(int variant) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return variants[variant] == &encoder_variant_avx512bf16 && __builtin_cpu_is("intel");
#else
    (void)variant;
    return 0;
#endif
}

int encoder_variant_best(int allows_rounding) {
    for (int i = 0; i < variant_count; i++) {
        if (!allows_rounding && variants[i]->rounds) continue;
        if (variants[i]->supported() && !is_slow(i)) return i;
    }
    return variant_count - 1;
}

size_t encoder_packed_bytes(int variant, size_t outputs, size_t inputs) {
    return variants[variant]->packed_bytes(outputs, inputs);
}

void encoder_pack(int variant, const void *weights, size_t outputs, size_t inputs, void *packed) {
    variants[variant]->pack(weights, outputs, inputs, packed);
}

size_t encoder_linear_scratch_bytes(int variant, size_t rows, size_t inputs) {
    return variants[variant]->linear_scratch_bytes(rows, inputs);
}

void encoder_linear(
    int variant, const float *x, size_t rows, size_t inputs, const void *packed, const float *bias,
    size_t outputs, int has_gelu, void *scratch, float *out) {
    variants[variant]->linear(x, rows, inputs, packed, bias, outputs, has_gelu, scratch, out);
}

size_t encoder_attention_scratch_bytes(int variant, size_t tokens, size_t width) {
    return variants[variant]->attention_scratch_bytes(tokens, width);
}

void encoder_attention(
    int variant, const float *qkv, size_t tokens, size_t heads, size_t width, void *scratch, float *out) {
    variants[variant]->attention(qkv, tokens, heads, width, scratch, out);
}

void encoder_add_norm(
    int variant, float *x, const float *added, size_t rows, size_t width, const float *gain,
    const float *shift, float epsilon) {
    variants[variant]->add_norm(x, added, rows, width, gain, shift, epsilon);
}

void encoder_gelu(int variant, float *x, size_t n) { variants[variant]->gelu(x, n); }

void encoder_softmax(int variant, float *x, size_t n, float scale) { variants[variant]->softmax(x, n, scale); }

static float float_at(const void *base, size_t index) {
    float value;
    memcpy(&value, (const char *)base + index * sizeof(float), sizeof(float));
    return value;
}

void encoder_add_rows(const void *a, const void *b, const void *c, size_t width, float *out) {
    for (size_t i = 0; i < width; i++) out[i] = float_at(a, i) + float_at(b, i) + float_at(c, i);
}

int encoder_unit_mean(const float *x, size_t rows, size_t width, float *out) {
    memcpy(out, x, width * sizeof(float));
    for (size_t row = 1; row < rows; row++) {
        for (size_t i = 0; i < width; i++) out[i] += x[row * width + i];
    }
    double squares = 0;
    for (size_t i = 0; i < width; i++) {
        out[i] /= (float)rows;
        squares += (double)out[i] * (double)out[i];
    }
    if (!(squares > 1e-30) || !isfinite(squares)) return 0;
    const float factor = (float)(1 / sqrt(squares));
    for (size_t i = 0; i < width; i++) out[i] *= factor;
    return 1;
}

/// Eight sums, each a chain of steps that lose nothing: for a given word a step maps sums one to one, so that a chain
/// ends differently if one of its words differs.
void encoder_digest(const void *bytes, size_t count, uint64_t out[2]) {
    const uint64_t prime = 0x9E3779B185EBCA87u;
    uint64_t sums[8];
    for (uint64_t i = 0; i < 8; i++) sums[i] = (i + 1) * 0xC2B2AE3D27D4EB4Fu;
    const char *at = bytes;
    size_t left = count;
    for (; left >= 64; left -= 64, at += 64) {
        uint64_t word[8];
        memcpy(word, at, 64);
        for (int i = 0; i < 8; i++) {
            const uint64_t product = (sums[i] ^ word[i]) * prime;
            sums[i] = product << 29 | product >> 35;
        }
    }
    uint64_t word[8] = {0};
    memcpy(word, at, left);
    for (int i = 0; i < 8; i++) {
        const uint64_t product = (sums[i] ^ word[i]) * prime;
        sums[i] = product << 29 | product >> 35;
    }
    for (uint64_t half = 0; half < 2; half++) {
        uint64_t state = (uint64_t)count + half;
        for (int i = 0; i < 8; i++) {
            state = (state ^ sums[i]) * prime;
            state ^= state >> 32;
            state *= 0xD6E8FEB86659FD93u;
            state ^= state >> 29;
        }
        out[half] = state;
    }
}
