/// The functions of a variant, written once over vectors of `LANES` floats. A variant's file defines
///
/// - `LANES`, `VECTORS`, `ROWS`: a product's tile is `ROWS` rows of `VECTORS` vectors of sums, which with one more
///   row of vectors and one number are held in registers;
/// - `TARGET`: the attribute of every function, as the compiler inlines across equal targets only;
/// - `MULTIPLY_ADD(a, b, c)`: a * b + c;
/// - and, where two numbers of 16 bits are multiplied and added in one lane, `HAS_PAIRS` and `DOT_PAIRS(sums, a, b)`: with
///   `HAS_WHOLE` they are whole numbers, else bfloat16 ones, with `round_row`, which fills up to a multiple of 32;
///
/// includes this file, and defines the table of its functions with `DEFINE_VARIANT`.
#include "variant.h"
#include <math.h>

#define PANEL (LANES * VECTORS)
/// How many inputs are packed at once.
#define PACKED_PART 32
#define BODY TARGET static inline __attribute__((always_inline))

typedef float lanes __attribute__((ext_vector_type(LANES)));
typedef int32_t words __attribute__((ext_vector_type(LANES)));

BODY lanes load(const float *at) {
    lanes value;
    memcpy(&value, at, sizeof(value));
    return value;
}

BODY void store(float *at, lanes value) { memcpy(at, &value, sizeof(value)); }

/// The first `count` floats, and zeros.
BODY lanes load_part(const float *at, size_t count) {
    lanes value = 0;
    memcpy(&value, at, count * sizeof(float));
    return value;
}

// Halves are put together until one number is left.
typedef float two __attribute__((ext_vector_type(2)));
typedef float four __attribute__((ext_vector_type(4)));
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#if LANES == 16
typedef float eight __attribute__((ext_vector_type(8)));
BODY four four_of_sums(lanes value) {
    const eight half = value.lo + value.hi;
    return half.lo + half.hi;
}
BODY four four_of_largest(lanes value) {
    const eight half = LARGER(value.lo, value.hi);
    return LARGER(half.lo, half.hi);
}
#elif LANES == 8
BODY four four_of_sums(lanes value) { return value.lo + value.hi; }
BODY four four_of_largest(lanes value) { return LARGER(value.lo, value.hi); }
#else
BODY four four_of_sums(lanes value) { return value; }
BODY four four_of_largest(lanes value) { return value; }
#endif

BODY float sum_of(lanes value) {
    const four quarter = four_of_sums(value);
    const two pair = quarter.lo + quarter.hi;
    return pair.x + pair.y;
}

BODY float largest_of(lanes value) {
    const four quarter = four_of_largest(value);
    const two pair = LARGER(quarter.lo, quarter.hi);
    return LARGER(pair.x, pair.y);
}

BODY lanes smaller(lanes a, lanes b) { return a < b ? a : b; }
BODY lanes larger(lanes a, lanes b) { return a > b ? a : b; }

/// e to the power of x, for x up to 0 and down to -87, below which it stays: 2^n times a polynomial of the rest
/// (Cephes, by Stephen Moshier), within two units of the last place.
BODY lanes exponential(lanes x) {
    x = larger(x, (lanes)-87.0f);
    // Adding and taking off 1.5 * 2^23 rounds to the nearest whole number, which then stands in the low bits.
    const lanes shifted = MULTIPLY_ADD(x, (lanes)1.44269504f, (lanes)12582912.0f);
    const lanes n = shifted - 12582912.0f;
    lanes rest = MULTIPLY_ADD(n, (lanes)-0.693359375f, x);
    rest = MULTIPLY_ADD(n, (lanes)2.12194440e-4f, rest);
    lanes y = (lanes)1.9875691500e-4f;
    y = MULTIPLY_ADD(y, rest, (lanes)1.3981999507e-3f);
    y = MULTIPLY_ADD(y, rest, (lanes)8.3334519073e-3f);
    y = MULTIPLY_ADD(y, rest, (lanes)4.1665795894e-2f);
    y = MULTIPLY_ADD(y, rest, (lanes)1.6666665459e-1f);
    y = MULTIPLY_ADD(y, rest, (lanes)5.0000001201e-1f);
    y = MULTIPLY_ADD(y, rest * rest, rest) + 1.0f;
    // Casts between vectors keep the bits.
    return (lanes)((words)y + ((words)shifted << 23));
}

/// x / 2 * (1 + erf(x / sqrt(2))); the error function as a quotient of polynomials, as Eigen has it.
BODY lanes gelu_of(lanes x) {
    lanes z = x * 0.70710678f;
    z = smaller(larger(z, (lanes)-4.0f), (lanes)4.0f);
    const lanes square = z * z;
    lanes above = (lanes)-2.72614225801306e-10f;
    above = MULTIPLY_ADD(above, square, (lanes)2.77068142495902e-08f);
    above = MULTIPLY_ADD(above, square, (lanes)-2.10102402082508e-06f);
    above = MULTIPLY_ADD(above, square, (lanes)-5.69250639462346e-05f);
    above = MULTIPLY_ADD(above, square, (lanes)-7.34990630326855e-04f);
    above = MULTIPLY_ADD(above, square, (lanes)-2.95459980854025e-03f);
    above = MULTIPLY_ADD(above, square, (lanes)-1.60960333262415e-02f);
    lanes below = (lanes)-1.45660718464996e-05f;
    below = MULTIPLY_ADD(below, square, (lanes)-2.13374055278905e-04f);
    below = MULTIPLY_ADD(below, square, (lanes)-1.68282697438203e-03f);
    below = MULTIPLY_ADD(below, square, (lanes)-7.37332916720468e-03f);
    below = MULTIPLY_ADD(below, square, (lanes)-1.42647390514189e-02f);
    const lanes half = x * 0.5f;
    return MULTIPLY_ADD(half, z * above / below, half);
}

TARGET static void gelu(float *x, size_t n) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) store(x + i, gelu_of(load(x + i)));
    if (i == n) return;
    const lanes rest = gelu_of(load_part(x + i, n - i));
    memcpy(x + i, &rest, (n - i) * sizeof(float));
}

/// Replaces scores by exp(scale * (score - the largest)), and returns their sum.
BODY float weights_of(float *x, size_t n, float scale) {
    size_t i = 0;
    lanes most = (lanes)-INFINITY;
    for (; i + LANES <= n; i += LANES) most = larger(most, load(x + i));
    float largest = largest_of(most);
    for (; i < n; i++) largest = x[i] > largest ? x[i] : largest;
    lanes sums = 0;
    for (i = 0; i + LANES <= n; i += LANES) {
        const lanes value = exponential((load(x + i) - largest) * scale);
        sums += value;
        store(x + i, value);
    }
    float sum = sum_of(sums);
    if (i < n) {
        const lanes rest = exponential((load_part(x + i, n - i) - largest) * scale);
        float parts[LANES];
        memcpy(parts, &rest, sizeof(parts));
        for (size_t lane = 0; lane < n - i; lane++) sum += parts[lane];
        memcpy(x + i, parts, (n - i) * sizeof(float));
    }
    return sum;
}

TARGET static void softmax(float *x, size_t n, float scale) {
    const float factor = 1 / weights_of(x, n, scale);
    for (size_t i = 0; i < n; i++) x[i] *= factor;
}

TARGET static void add_norm(
    float *x, const float *added, size_t rows, size_t width, const float *gain, const float *shift,
    float epsilon) {
    for (size_t row = 0; row < rows; row++, x += width) {
        size_t i = 0;
        lanes sums = 0;
        float sum = 0;
        for (; i + LANES <= width; i += LANES) {
            lanes value = load(x + i);
            if (added != NULL) value += load(added + i);
            store(x + i, value);
            sums += value;
        }
        for (; i < width; i++) {
            if (added != NULL) x[i] += added[i];
            sum += x[i];
        }
        const float mean = (sum_of(sums) + sum) / (float)width;
        sums = 0;
        sum = 0;
        for (i = 0; i + LANES <= width; i += LANES) {
            const lanes off = load(x + i) - mean;
            sums = MULTIPLY_ADD(off, off, sums);
        }
        for (; i < width; i++) sum += (x[i] - mean) * (x[i] - mean);
        const float factor = 1 / sqrtf((sum_of(sums) + sum) / (float)width + epsilon);
        for (i = 0; i + LANES <= width; i += LANES) {
            store(x + i, MULTIPLY_ADD((load(x + i) - mean) * factor, load(gain + i), load(shift + i)));
        }
        for (; i < width; i++) x[i] = (x[i] - mean) * factor * gain[i] + shift[i];
        if (added != NULL) added += width;
    }
}

#include "linear.h"

/// Stores four numbers of each of four rows as four columns.
BODY void turn_four(const float *from, size_t row, float *to) {
    four a, b, c, d;
    memcpy(&a, from, sizeof(a));
    memcpy(&b, from + row, sizeof(b));
    memcpy(&c, from + 2 * row, sizeof(c));
    memcpy(&d, from + 3 * row, sizeof(d));
    const four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_end = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const four cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_end = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    const four turned[4] = {
        __builtin_shufflevector(ab, cd, 0, 1, 4, 5), __builtin_shufflevector(ab, cd, 2, 3, 6, 7),
        __builtin_shufflevector(ab_end, cd_end, 0, 1, 4, 5), __builtin_shufflevector(ab_end, cd_end, 2, 3, 6, 7),
    };
    for (int i = 0; i < 4; i++) memcpy(to + i * PANEL, &turned[i], sizeof(four));
}

/// Packs the keys of a head as weights are packed: a token is a column. Columns beyond the last token are zeros.
TARGET static void turn_keys(const float *key, size_t row, size_t tokens, size_t width, float *keys) {
    for (size_t first = 0; first < tokens; first += PANEL, keys += PANEL * width) {
        const size_t count = tokens - first < PANEL ? tokens - first : PANEL;
        for (size_t i = 0; i < width && count < PANEL; i++) {
            memset(keys + i * PANEL + count, 0, (PANEL - count) * sizeof(float));
        }
        size_t token = 0;
        for (; token + 4 <= count; token += 4) {
            const float *from = key + (first + token) * row;
            size_t i = 0;
            for (; i + 4 <= width; i += 4) turn_four(from + i, row, keys + i * PANEL + token);
            for (; i < width; i++) {
                for (size_t k = 0; k < 4; k++) keys[i * PANEL + token + k] = from[k * row + i];
            }
        }
        for (; token < count; token++) {
            for (size_t i = 0; i < width; i++) keys[i * PANEL + token] = key[(first + token) * row + i];
        }
    }
}

/// Keys and values of a head as panels, and the scores of one tile of rows.
TARGET static size_t attention_scratch_bytes(size_t tokens, size_t width) {
    const size_t columns = rounded_up(tokens, PANEL);
    return (columns * width + tokens * rounded_up(width, PANEL) + ROWS * columns) * sizeof(float);
}

TARGET static void attention(
    const float *qkv, size_t tokens, size_t heads, size_t width, void *scratch, float *out) {
    const size_t hidden = heads * width, row = 3 * hidden;
    const size_t columns = rounded_up(tokens, PANEL), padded = rounded_up(width, PANEL);
    float *keys = scratch, *values = keys + columns * width, *scores = values + tokens * padded;
    const float scale = 1 / sqrtf((float)width);
    for (size_t head = 0; head < heads; head++) {
        const float *query = qkv + head * width, *key = query + hidden, *value = key + hidden;
        turn_keys(key, row, tokens, width, keys);
        for (size_t panel = 0; panel < padded; panel += PANEL) {
            const size_t count = width - panel < PANEL ? width - panel : PANEL;
            for (size_t token = 0; token < tokens; token++) {
                float *to = values + panel * tokens + token * PANEL;
                memcpy(to, value + token * row + panel, count * sizeof(float));
                if (count < PANEL) memset(to + count, 0, (PANEL - count) * sizeof(float));
            }
        }
        for (size_t first = 0, count; first < tokens; first += count) {
            count = next_rows(tokens - first);
            for (size_t panel = 0; panel < columns; panel += PANEL) {
                float_rows(
                    query + first * row, row, count, width, keys + panel * width, (fetching){(const char *)keys, 0},
                    NULL, PANEL, 0, scores + panel, columns);
            }
            // Dividing by the sums is left to the end, where there are fewer numbers.
            float factors[ROWS];
            for (size_t r = 0; r < count; r++) factors[r] = 1 / weights_of(scores + r * columns, tokens, scale);
            for (size_t panel = 0; panel < padded; panel += PANEL) {
                float_rows(
                    scores, columns, count, tokens, values + panel * tokens, (fetching){(const char *)keys, 0}, NULL,
                    width - panel, 0, out + first * hidden + head * width + panel, hidden);
            }
            for (size_t r = 0; r < count; r++) {
                float *row_out = out + (first + r) * hidden + head * width;
                for (size_t i = 0; i < width; i++) row_out[i] *= factors[r];
            }
        }
    }
}

#if defined(HAS_PAIRS)
#define DOES_ROUND 1
#else
#define DOES_ROUND 0
#endif

#define DEFINE_VARIANT(symbol, text)                                                                        \
    const encoder_variant symbol = {                                                                        \
        text, DOES_ROUND, supported, packed_bytes, pack, linear_scratch_bytes, linear, attention_scratch_bytes, \
        attention, add_norm, gelu, softmax,                                                                 \
    };
