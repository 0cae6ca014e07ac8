/// What a text encoder of the BERT family computes: linear layers over packed weights, attention, GELU,
/// layer norms.
///
/// Each function exists in several variants: AVX-512 with products of bfloat16 or of 16-bit whole numbers (VNNI), AVX-512,
/// AVX2 with products of whole numbers, AVX2 with FMA, NEON and plain C. A variant is a number from 0 to
/// `encoder_variant_count() - 1`, the fastest first; the last is plain C and runs everywhere. `encoder_variant_best` chooses for this processor. Weights that one
/// variant packed are for that variant only.
///
/// - Nothing is checked here: the caller has checked counts, pointers and the variant.
/// - Numbers are little-endian. Pointers to `void` may have any alignment but where it is said.
/// - Variants add up in different orders, so between them the last bits differ. The one with bfloat16 rounds weights and inputs
///   of linear layers to 8 bits and adds up in 32-bit floats. Those with whole numbers take an output's weights as parts of the
///   largest of them, 2,047 and less, and a row's inputs as parts of its largest, at most 32,767 and as many as leave a sum in
///   32 bits (some 13,000 of 384 inputs, 3,400 of 1,536); they add up exactly.
#ifndef LOCI_ENCODER_H
#define LOCI_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

int encoder_variant_count(void);
const char *encoder_variant_name(int variant);
/// 1 if this processor and operating system can run it, otherwise 0.
int encoder_variant_supported(int variant);
/// 1 if its linear layers round what they multiply, to bfloat16 or whole numbers, otherwise 0.
int encoder_variant_rounds(int variant);
/// The fastest supported one; of those with 32-bit floats only, unless `allows_rounding`.
int encoder_variant_best(int allows_rounding);

/// Bytes of a linear layer's packed weights.
size_t encoder_packed_bytes(int variant, size_t outputs, size_t inputs);

/// Packs a matrix of `outputs` rows of `inputs` 32-bit floats in the order in which the layer reads them.
/// `packed` is aligned to 64 bytes.
void encoder_pack(int variant, const void *weights, size_t outputs, size_t inputs, void *packed);

/// Bytes of scratch of a linear layer over so many rows.
size_t encoder_linear_scratch_bytes(int variant, size_t rows, size_t inputs);

/// out = x * weights^T + bias, and GELU of that if `has_gelu`. `x` has `rows` rows of `inputs` floats, `out`
/// rows of `outputs`. `scratch` is aligned to 64 bytes.
void encoder_linear(
    int variant, const float *x, size_t rows, size_t inputs, const void *packed, const float *bias,
    size_t outputs, int has_gelu, void *scratch, float *out);

/// Bytes of scratch of the attention over so many tokens.
size_t encoder_attention_scratch_bytes(int variant, size_t tokens, size_t width);

/// Attention of the tokens of one text among each other. A row of `qkv` is a token's query, key and value,
/// each `heads * width` floats; a row of `out` has as many. `scratch` is aligned to 64 bytes.
void encoder_attention(
    int variant, const float *qkv, size_t tokens, size_t heads, size_t width, void *scratch, float *out);

/// x = the layer norm of x + added, in rows of `width`. `added` may be null, for nothing.
void encoder_add_norm(
    int variant, float *x, const float *added, size_t rows, size_t width, const float *gain,
    const float *shift, float epsilon);

/// The exact GELU, by the error function, of `n` floats in place: within 3e-7 of it, and of one above 1 within 3e-7 of its size.
void encoder_gelu(int variant, float *x, size_t n);

/// Replaces `n` scores by exp(scale * (score - the largest)), divided by their sum.
void encoder_softmax(int variant, float *x, size_t n, float scale);

/// out = a + b + c, `width` floats each, at any alignment.
void encoder_add_rows(const void *a, const void *b, const void *c, size_t width, float *out);

/// out = the mean of `rows` rows of `width` floats, scaled to length 1. Returns 0 where it has no finite
/// length above zero, and scales nothing then; else 1.
int encoder_unit_mean(const float *x, size_t rows, size_t width, float *out);

/// A digest of `count` bytes in two numbers, the same on every machine. A change within eight bytes always changes it;
/// it is no defence against whoever wants two files to have one.
void encoder_digest(const void *bytes, size_t count, uint64_t out[2]);

#ifdef __cplusplus
}
#endif

#endif
