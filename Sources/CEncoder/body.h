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

/// What is fetched while a panel is multiplied: the next one, a part of it with each tile of rows, so that memory is read
/// at an even rate. Beyond the last panel nothing is lost but the reading.
typedef struct {
    const char *at;
    /// Bytes with each input or pair of inputs.
    size_t step;
} fetching;

/// The part of the tile from row `first` on, of `bytes` behind a panel of so many steps.
BODY fetching fetching_of(const void *next, size_t bytes, size_t steps, size_t rows, size_t first) {
    const size_t tiles = (rows + ROWS - 1) / ROWS;
    return (fetching){(const char *)next + bytes * first / rows, bytes / tiles / steps + 1};
}

/// Into the second cache.
#define FETCH(ahead) (__builtin_prefetch((ahead).at, 0, 2), (ahead).at += (ahead).step)

/// Sums of `rows` rows of x, `stride` floats from one to the next, with the `PANEL` columns of a panel.
BODY void float_tile(
    const float *x, size_t stride, size_t inputs, const float *panel, fetching ahead, const int rows,
    lanes sums[ROWS][VECTORS]) {
    for (int r = 0; r < rows; r++) {
        for (int v = 0; v < VECTORS; v++) sums[r][v] = 0;
    }
    for (size_t i = 0; i < inputs; i++, panel += PANEL) {
        lanes column[VECTORS];
        FETCH(ahead);
#pragma clang loop unroll(full)
        for (int v = 0; v < VECTORS; v++) column[v] = load(panel + v * LANES);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            const lanes number = (lanes)x[(size_t)r * stride + i];
#pragma clang loop unroll(full)
            for (int v = 0; v < VECTORS; v++) sums[r][v] = MULTIPLY_ADD(number, column[v], sums[r][v]);
        }
    }
}

/// Adds the bias to the sums of `rows` rows, and stores `columns` of each.
BODY void store_tile(
    lanes sums[ROWS][VECTORS], const int rows, size_t columns, const float *bias, int has_gelu, float *out,
    size_t stride) {
    if (columns >= PANEL) {
#pragma clang loop unroll(full)
        for (int v = 0; v < VECTORS; v++) {
            const lanes added = bias == NULL ? (lanes)0 : load(bias + v * LANES);
            for (int r = 0; r < rows; r++) {
                const lanes value = sums[r][v] + added;
                store(out + (size_t)r * stride + v * LANES, has_gelu ? gelu_of(value) : value);
            }
        }
        return;
    }
    for (int r = 0; r < rows; r++) {
        float row[PANEL];
        memcpy(row, sums[r], sizeof(row));
        for (size_t i = 0; i < columns && bias != NULL; i++) row[i] += bias[i];
        if (has_gelu) {
            for (int v = 0; v < VECTORS; v++) store(row + v * LANES, gelu_of(load(row + v * LANES)));
        }
        memcpy(out + (size_t)r * stride, row, columns * sizeof(float));
    }
}

// A tile's number of rows is known when it is compiled, so that its sums are registers.
#if ROWS == 4
#define ROW_CASES(each) each(1) each(2) each(3) each(4)
#elif ROWS == 6
#define ROW_CASES(each) each(1) each(2) each(3) each(4) each(5) each(6)
#else
#define ROW_CASES(each) \
    each(1) each(2) each(3) each(4) each(5) each(6) each(7) each(8) each(9) each(10) each(11) each(12)
#endif

/// Products of rows with a panel of floats, up to `ROWS` rows.
TARGET static void float_rows(
    const float *x, size_t stride, size_t rows, size_t inputs, const float *panel, fetching ahead,
    const float *bias, size_t columns, int has_gelu, float *out, size_t out_stride) {
    lanes sums[ROWS][VECTORS];
    switch (rows) {
#define EACH(count)                                                                \
    case count:                                                                    \
        float_tile(x, stride, inputs, panel, ahead, count, sums);                  \
        store_tile(sums, count, columns, bias, has_gelu, out, out_stride);         \
        break;
        ROW_CASES(EACH)
#undef EACH
    }
}

/// How many of the rows that are left go into the next tile, so that tiles are about equal.
BODY size_t next_rows(size_t left) {
    const size_t tiles = (left + ROWS - 1) / ROWS;
    return (left + tiles - 1) / tiles;
}

BODY size_t rounded_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

#if defined(HAS_PAIRS)

/// Pairs of inputs lie together, as one instruction multiplies two. An odd end is filled with zeros.
BODY size_t pairs_of(size_t inputs) { return (inputs + 1) / 2; }

BODY size_t rounded_stride(size_t inputs) { return rounded_up(inputs, PACKED_PART); }

#if defined(HAS_WHOLE)

/// Sums of products of whole numbers are exact, and a 32-bit one holds all of them: weights are up to `MOST_WEIGHT`, and what
/// they are multiplied with is as large as the sum of a column's weights allows, which stands before the panels.
typedef words pair_sums;
typedef int16_t shorts __attribute__((ext_vector_type(LANES)));
#define MOST_WEIGHT 2047.0f
#define PACKED_HEAD 64
/// Behind the pairs of a panel stands how much one is in each column.
#define PANEL_SCALES PANEL

/// How much one is of the whole numbers up to `most` that stand for these; no number where one of them is none.
BODY float scale_of(const void *from, size_t count, float most) {
    lanes largest = 0, nothing = 0;
    for (size_t i = 0; i < count; i += LANES) {
        const char *at = (const char *)from + i * sizeof(float);
        const lanes value = count - i >= LANES ? load((const float *)at) : load_part((const float *)at, count - i);
        largest = larger(largest, larger(value, -value));
        nothing = MULTIPLY_ADD(value, (lanes)0, nothing);
    }
    return largest_of(largest) / most + sum_of(nothing);
}

/// Whole numbers for some floats at any alignment, filled up to a multiple of `LANES` with zeros. Returns the sum of their sizes.
BODY float whole_row(const void *from, size_t count, float scale, uint16_t *to) {
    const float factor = scale > 0 ? 1 / scale : 0;
    lanes sizes = 0;
    for (size_t i = 0; i < count; i += LANES) {
        const char *at = (const char *)from + i * sizeof(float);
        const lanes value = count - i >= LANES ? load((const float *)at) : load_part((const float *)at, count - i);
        // Adding 1.5 * 2^23 rounds to the nearest whole number, which then stands in the low bits.
        const lanes shifted = MULTIPLY_ADD(value, (lanes)factor, (lanes)12582912.0f);
        const lanes rounded = shifted - 12582912.0f;
        sizes += larger(rounded, -rounded);
        const shorts whole = __builtin_convertvector((words)shifted - 0x4B400000, shorts);
        memcpy(to + i, &whole, sizeof(whole));
    }
    return sum_of(sizes);
}

#else

typedef lanes pair_sums;
#define PACKED_HEAD 0
#define PANEL_SCALES 0

#endif

TARGET static size_t packed_bytes(size_t outputs, size_t inputs) {
    const size_t panels = rounded_up(outputs, PANEL) / PANEL;
    return PACKED_HEAD + panels * (PANEL * pairs_of(inputs) + PANEL_SCALES) * 4;
}

TARGET static void pack(const void *weights, size_t outputs, size_t inputs, void *packed) {
    const size_t pairs = pairs_of(inputs);
    uint32_t *panel = (uint32_t *)((char *)packed + PACKED_HEAD);
#if defined(HAS_WHOLE)
    float largest = 1;
#endif
    for (size_t first = 0; first < outputs; first += PANEL, panel += PANEL * pairs + PANEL_SCALES) {
        const size_t columns = outputs - first < PANEL ? outputs - first : PANEL;
        if (columns < PANEL) memset(panel, 0, (PANEL * pairs + PANEL_SCALES) * sizeof(uint32_t));
#if defined(HAS_WHOLE)
        float sizes[PANEL] = {0}, *scales = (float *)panel + PANEL * pairs;
        for (size_t column = 0; column < columns; column++) {
            scales[column] =
                scale_of((const char *)weights + (first + column) * inputs * sizeof(float), inputs, MOST_WEIGHT);
        }
#endif
        // A part of each row at a time, so that what is written to stays in the first cache.
        for (size_t i = 0; i < inputs; i += PACKED_PART) {
            const size_t count = inputs - i < PACKED_PART ? inputs - i : PACKED_PART;
            for (size_t column = 0; column < columns; column++) {
                uint32_t row[PACKED_PART / 2] = {0};
                const char *from = (const char *)weights + ((first + column) * inputs + i) * sizeof(float);
#if defined(HAS_WHOLE)
                sizes[column] += whole_row(from, count, scales[column], (uint16_t *)row);
#else
                round_row(from, count, (uint16_t *)row);
#endif
                uint32_t *to = panel + i / 2 * PANEL + column;
                for (size_t pair = 0; pair < pairs_of(count); pair++) to[pair * PANEL] = row[pair];
            }
        }
#if defined(HAS_WHOLE)
        for (size_t column = 0; column < columns; column++) {
            largest = sizes[column] > largest ? sizes[column] : largest;
        }
#endif
    }
#if defined(HAS_WHOLE)
    // A little less than 2^31, for what the sum of sizes was rounded by.
    const float most = 2147000000.0f / largest;
    *(float *)packed = most < 32767 ? truncf(most) : 32767;
#endif
}

/// The rows, and behind them how much one is in each.
TARGET static size_t linear_scratch_bytes(size_t rows, size_t inputs) {
    return rows * (rounded_stride(inputs) * sizeof(uint16_t) + sizeof(float));
}

BODY void pair_tile(
    const uint16_t *x, const float *row_scales, size_t stride, size_t pairs, const uint32_t *panel,
    fetching ahead, const int rows, lanes sums[ROWS][VECTORS]) {
    pair_sums products[ROWS][VECTORS];
    for (int r = 0; r < rows; r++) {
        for (int v = 0; v < VECTORS; v++) products[r][v] = 0;
    }
    for (size_t i = 0; i < pairs; i++, panel += PANEL) {
        lanes column[VECTORS];
        FETCH(ahead);
#pragma clang loop unroll(full)
        for (int v = 0; v < VECTORS; v++) column[v] = load((const float *)panel + v * LANES);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            float pair;
            memcpy(&pair, x + (size_t)r * stride + 2 * i, sizeof(pair));
#pragma clang loop unroll(full)
            for (int v = 0; v < VECTORS; v++) {
                products[r][v] = DOT_PAIRS(products[r][v], (lanes)pair, column[v]);
            }
        }
    }
    for (int v = 0; v < VECTORS; v++) {
#if defined(HAS_WHOLE)
        const lanes scales = load((const float *)panel + v * LANES);
        for (int r = 0; r < rows; r++) {
            sums[r][v] = __builtin_convertvector(products[r][v], lanes) * scales * row_scales[r];
        }
#else
        (void)row_scales;
        for (int r = 0; r < rows; r++) sums[r][v] = products[r][v];
#endif
    }
}

TARGET static void pair_rows(
    const uint16_t *x, const float *row_scales, size_t stride, size_t rows, size_t pairs, const uint32_t *panel,
    fetching ahead, const float *bias, size_t columns, int has_gelu, float *out, size_t out_stride) {
    lanes sums[ROWS][VECTORS];
    switch (rows) {
#define EACH(count)                                                                \
    case count:                                                                    \
        pair_tile(x, row_scales, stride, pairs, panel, ahead, count, sums);        \
        store_tile(sums, count, columns, bias, has_gelu, out, out_stride);         \
        break;
        ROW_CASES(EACH)
#undef EACH
    }
}

TARGET static void linear(
    const float *x, size_t rows, size_t inputs, const void *packed, const float *bias, size_t outputs,
    int has_gelu, void *scratch, float *out) {
    const size_t stride = rounded_stride(inputs), pairs = pairs_of(inputs);
    uint16_t *rounded = scratch;
    float *scales = (float *)(rounded + rows * stride);
    for (size_t r = 0; r < rows; r++) {
#if defined(HAS_WHOLE)
        scales[r] = scale_of(x + r * inputs, inputs, *(const float *)packed);
        whole_row(x + r * inputs, inputs, scales[r], rounded + r * stride);
#else
        round_row(x + r * inputs, inputs, rounded + r * stride);
#endif
    }
    const uint32_t *panel = (const uint32_t *)((const char *)packed + PACKED_HEAD);
    const size_t step = PANEL * pairs + PANEL_SCALES;
    for (size_t first = 0; first < outputs; first += PANEL, panel += step) {
        for (size_t r = 0, count; r < rows; r += count) {
            count = next_rows(rows - r);
            pair_rows(
                rounded + r * stride, scales + r, stride, count, pairs, panel,
                fetching_of(panel + step, step * sizeof(uint32_t), pairs, rows, r), bias + first, outputs - first,
                has_gelu, out + r * outputs + first, outputs);
        }
    }
}

#else

TARGET static size_t packed_bytes(size_t outputs, size_t inputs) {
    return rounded_up(outputs, PANEL) * inputs * sizeof(float);
}

TARGET static void pack(const void *weights, size_t outputs, size_t inputs, void *packed) {
    float *panel = packed;
    for (size_t first = 0; first < outputs; first += PANEL, panel += PANEL * inputs) {
        const size_t columns = outputs - first < PANEL ? outputs - first : PANEL;
        if (columns < PANEL) memset(panel, 0, PANEL * inputs * sizeof(float));
        // A part of each row at a time, so that what is written to stays in the first cache.
        for (size_t i = 0; i < inputs; i += PACKED_PART) {
            const size_t count = inputs - i < PACKED_PART ? inputs - i : PACKED_PART;
            for (size_t column = 0; column < columns; column++) {
                float row[PACKED_PART];
                const size_t place = (first + column) * inputs + i;
                memcpy(row, (const char *)weights + place * sizeof(float), count * sizeof(float));
                float *to = panel + i * PANEL + column;
                for (size_t k = 0; k < count; k++) to[k * PANEL] = row[k];
            }
        }
    }
}

TARGET static size_t linear_scratch_bytes(size_t rows, size_t inputs) {
    (void)rows, (void)inputs;
    return 0;
}

TARGET static void linear(
    const float *x, size_t rows, size_t inputs, const void *packed, const float *bias, size_t outputs,
    int has_gelu, void *scratch, float *out) {
    (void)scratch;
    const float *panel = packed;
    for (size_t first = 0; first < outputs; first += PANEL, panel += PANEL * inputs) {
        for (size_t r = 0, count; r < rows; r += count) {
            count = next_rows(rows - r);
            float_rows(
                x + r * inputs, inputs, count, inputs, panel,
                fetching_of(panel + PANEL * inputs, PANEL * inputs * sizeof(float), inputs, rows, r), bias + first,
                outputs - first, has_gelu, out + r * outputs + first, outputs);
        }
    }
}

#endif

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
