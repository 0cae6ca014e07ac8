/// Linear layers of a variant, over packed weights; a part of `body.h`.

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
    // One that is too small to divide by stands for nothing.
    const float factor = scale > 1e-37f ? 1 / scale : 0;
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
