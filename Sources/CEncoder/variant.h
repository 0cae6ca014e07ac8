/// What a variant consists of.
#ifndef LOCI_ENCODER_VARIANT_H
#define LOCI_ENCODER_VARIANT_H

#include "encoder.h"
#include <string.h>

typedef struct {
    const char *name;
    int rounds;
    int (*supported)(void);
    size_t (*packed_bytes)(size_t, size_t);
    void (*pack)(const void *, size_t, size_t, void *);
    size_t (*linear_scratch_bytes)(size_t, size_t);
    void (*linear)(
        const float *, size_t, size_t, const void *, const float *, size_t, int, void *, float *);
    size_t (*attention_scratch_bytes)(size_t, size_t);
    void (*attention)(const float *, size_t, size_t, size_t, void *, float *);
    void (*add_norm)(float *, const float *, size_t, size_t, const float *, const float *, float);
    void (*gelu)(float *, size_t);
    void (*softmax)(float *, size_t, float);
} encoder_variant;

extern const encoder_variant encoder_variant_plain;
#if defined(__x86_64__)
extern const encoder_variant encoder_variant_avx2;
extern const encoder_variant encoder_variant_avx2int16;
extern const encoder_variant encoder_variant_avx512;
extern const encoder_variant encoder_variant_avx512bf16;
extern const encoder_variant encoder_variant_avx512vnni;
#elif defined(__aarch64__)
extern const encoder_variant encoder_variant_neon;
#endif

#endif
