/// Codes are made here, and queries for them. Making them is rare beside reading them, so there is one variant, which
/// adds up in one fixed order: a row has the same code on every machine.
#include "kernels.h"
#include <math.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

/// Of eight sums, each of every eighth number.
static float sum_of(const float sums[8]) {
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

/// The component that a number becomes, + 0.5: from 0.5 - half to half - 0.5.
static inline float component(float x, float inverse, float half) {
    float v = x * inverse;
    v = v > -half ? v : -half;
    v = v < half ? v : half;
    // Rounded down, as whole numbers round towards zero.
    const float whole = (float)(int32_t)v;
    const float c = (v < whole ? whole - 1 : whole) + 0.5f;
    return c > half - 0.5f ? half - 0.5f : c;
}

/// The inner product of the components with the numbers, and their squared length.
static float products(const float *x, size_t n, float inverse, float half, float *squared) {
    float dots[8] = {0}, squares[8] = {0};
    for (size_t i = 0; i < n; i += 8) {
        for (int j = 0; j < 8; j++) {
            const float c = component(x[i + j], inverse, half);
            const float product = c * x[i + j], square = c * c;
            dots[j] = dots[j] + product;
            squares[j] = squares[j] + square;
        }
    }
    *squared = sum_of(squares);
    return sum_of(dots);
}

void kernels_encode(const float *x, size_t blocks, uint32_t bits, void *code, float *product) {
    const size_t n = blocks * 256 / bits;
    const float half = (float)(1u << (bits - 1));
    float squares[8] = {0};
    for (size_t i = 0; i < n; i += 8) {
        for (int j = 0; j < 8; j++) {
            const float square = x[i + j] * x[i + j];
            squares[j] = squares[j] + square;
        }
    }
    memset(code, 0, blocks * 32);
    *product = 0;
    const float deviation = sqrtf(sum_of(squares) / (float)n);
    if (!(deviation > 0)) return;
    // Rotated components are near a normal distribution, whose best steps lie between these.
    const float least = bits == 4 ? 0.28f : 0.8f, most = bits == 4 ? 0.45f : 1.25f;
    float inverse = 1 / deviation, best = -1;
    for (int step = 0; step <= 8 && bits > 1; step++) {
        const float trial = 1 / (deviation * (least + (most - least) * ((float)step / 8)));
        float squared;
        const float dot = products(x, n, trial, half, &squared);
        const float cosine = dot / sqrtf(squared);
        if (cosine > best) {
            best = cosine;
            inverse = trial;
        }
    }
    float squared;
    *product = products(x, n, inverse, half, &squared);
    uint8_t *bytes = code;
    const size_t parts = 8 / bits;
    for (size_t i = 0; i < n; i++) {
        const uint8_t c = (uint8_t)(component(x[i], inverse, half) - 0.5f + half);
        const size_t row = i / 32;
        bytes[row / parts * 32 + i % 32] |= (uint8_t)(c << (row % parts * bits));
    }
}

float kernels_quantize_s8(const float *x, size_t n, int8_t *out, int32_t *sum) {
    int32_t largest = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t bits;
        memcpy(&bits, x + i, sizeof(bits));
        bits &= 0x7fffffff;
        largest = bits > largest ? bits : largest;
    }
    float most;
    memcpy(&most, &largest, sizeof(most));
    if (!(most > 1e-30f)) {
        memset(out, 0, n);
        *sum = 0;
        return 0;
    }
    const float factor = 127 / most;
    int32_t total = 0;
    for (size_t i = 0; i < n; i++) {
        // Rounds to the nearest: what is added puts the ones where the significand ends.
        const float shifter = 12582912.0f;
        const float rounded = x[i] * factor + shifter;
        int32_t bits;
        memcpy(&bits, &rounded, sizeof(bits));
        const int32_t value = bits - 0x4b400000;
        out[i] = (int8_t)value;
        total += value;
    }
    *sum = total;
    return most / 127;
}
