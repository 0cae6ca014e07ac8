/// Chooses the variant, once, before `main` runs; afterwards the choice is only read.
#include "kernels.h"
#include "variant.h"
#include <string.h>

/// The fastest first.
static const kernels_variant *const variants[] = {
#if defined(__x86_64__)
    &kernels_variant_avx512,
    &kernels_variant_avx2,
#elif defined(__aarch64__)
    &kernels_variant_neon,
#endif
    &kernels_variant_plain,
};

enum { variant_count = sizeof(variants) / sizeof(variants[0]) };

static const kernels_variant *active = &kernels_variant_plain;
static int active_index = variant_count - 1;

__attribute__((constructor)) static void choose_variant(void) {
    for (int i = 0; i < variant_count; i++) {
        if (variants[i]->supported()) {
            active = variants[i];
            active_index = i;
            return;
        }
    }
}

float kernels_dot_f32(const float *a, const float *b, size_t n) { return active->dot(a, b, n); }

void kernels_dots_f32(
    const float *query, const void *rows, size_t stride_bytes, size_t rows_count, size_t n, float *out) {
    active->dots(query, rows, stride_bytes, rows_count, n, out);
}

void kernels_dots_f32_gather(
    const float *query, const void *base, size_t stride_bytes, const uint32_t *rows, size_t rows_count,
    size_t n, float *out) {
    active->gather(query, base, stride_bytes, rows, rows_count, n, out);
}

void kernels_dots_f32_slots(
    const kernels_segments *rows, const float *query, const uint32_t *slots, size_t slots_count, float *dots,
    float *auxiliaries) {
    active->slots(rows, query, slots, slots_count, dots, auxiliaries);
}

void kernels_dots_bf16(
    const float *query, const void *rows, size_t stride_bytes, size_t rows_count, size_t n, float *out) {
    active->dots_bf16(query, rows, stride_bytes, rows_count, n, out);
}

void kernels_bf16_of_f32(const float *x, size_t n, uint16_t *out) {
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, (const char *)x + i * sizeof(bits), sizeof(bits));
        // What is not a number must not become infinity; else half of the last place is added, or a little less.
        out[i] = (bits & 0x7fffffff) > 0x7f800000
            ? (uint16_t)(bits >> 16 | 0x40)
            : (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
}

void kernels_dots_s8(
    const int8_t *query, const void *rows, size_t stride_bytes, size_t rows_count, size_t n, int32_t *out) {
    active->dots_s8(query, rows, stride_bytes, rows_count, n, out);
}

double kernels_squared_norm_f32(const float *a, size_t n) { return active->squared_norm(a, n); }

int kernels_all_finite_f32(const float *a, size_t n) { return active->all_finite(a, n); }

void kernels_rotate_f32(float *x, size_t n, const float *signs, size_t rounds) {
    active->rotate(x, n, signs, rounds);
}

void kernels_estimates(
    const kernels_codes *codes, const int8_t *query, float scale, float offset, const uint32_t *slots,
    size_t slots_count, float *out) {
    active->estimates(codes, query, scale, offset, slots, slots_count, out);
}

int kernels_variant_count(void) { return variant_count; }

const char *kernels_variant_name(int variant) { return variants[variant]->name; }

int kernels_variant_supported(int variant) { return variants[variant]->supported(); }

int kernels_variant_active(void) { return active_index; }

float kernels_dot_f32_variant(int variant, const float *a, const float *b, size_t n) {
    return variants[variant]->dot(a, b, n);
}

void kernels_dots_f32_variant(
    int variant, const float *query, const void *rows, size_t stride_bytes, size_t rows_count, size_t n,
    float *out) {
    variants[variant]->dots(query, rows, stride_bytes, rows_count, n, out);
}

void kernels_dots_f32_gather_variant(
    int variant, const float *query, const void *base, size_t stride_bytes, const uint32_t *rows,
    size_t rows_count, size_t n, float *out) {
    variants[variant]->gather(query, base, stride_bytes, rows, rows_count, n, out);
}

void kernels_dots_f32_slots_variant(
    int variant, const kernels_segments *rows, const float *query, const uint32_t *slots, size_t slots_count,
    float *dots, float *auxiliaries) {
    variants[variant]->slots(rows, query, slots, slots_count, dots, auxiliaries);
}

void kernels_dots_bf16_variant(
    int variant, const float *query, const void *rows, size_t stride_bytes, size_t rows_count, size_t n,
    float *out) {
    variants[variant]->dots_bf16(query, rows, stride_bytes, rows_count, n, out);
}

void kernels_dots_s8_variant(
    int variant, const int8_t *query, const void *rows, size_t stride_bytes, size_t rows_count, size_t n,
    int32_t *out) {
    variants[variant]->dots_s8(query, rows, stride_bytes, rows_count, n, out);
}

double kernels_squared_norm_f32_variant(int variant, const float *a, size_t n) {
    return variants[variant]->squared_norm(a, n);
}

int kernels_all_finite_f32_variant(int variant, const float *a, size_t n) {
    return variants[variant]->all_finite(a, n);
}

void kernels_rotate_f32_variant(int variant, float *x, size_t n, const float *signs, size_t rounds) {
    variants[variant]->rotate(x, n, signs, rounds);
}

void kernels_estimates_variant(
    int variant, const kernels_codes *codes, const int8_t *query, float scale, float offset,
    const uint32_t *slots, size_t slots_count, float *out) {
    variants[variant]->estimates(codes, query, scale, offset, slots, slots_count, out);
}
