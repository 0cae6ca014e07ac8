/// CRC32C by tables, eight bytes a step ("slicing by 8": Kounavis and Berry, 2005). Runs everywhere.
#include "variant.h"

/// `tables[k][b]` is the remainder of byte b followed by k bytes of zeros.
static uint32_t tables[8][256];

static void prepare(void) {
    const uint32_t polynomial = 0x82f63b78;  // 0x1EDC6F41, its bits reflected
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) ? polynomial : 0);
        tables[0][byte] = crc;
    }
    for (int k = 1; k < 8; k++) {
        for (int byte = 0; byte < 256; byte++) {
            uint32_t crc = tables[k - 1][byte];
            tables[k][byte] = (crc >> 8) ^ tables[0][crc & 0xff];
        }
    }
}

static uint32_t crc32c(uint32_t seed, const void *data, size_t n) {
    const uint8_t *bytes = data;
    uint32_t crc = ~seed;
    for (; n >= 8; n -= 8, bytes += 8) {
        crc ^= (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16
            | (uint32_t)bytes[3] << 24;
        crc = tables[7][crc & 0xff] ^ tables[6][crc >> 8 & 0xff] ^ tables[5][crc >> 16 & 0xff]
            ^ tables[4][crc >> 24] ^ tables[3][bytes[4]] ^ tables[2][bytes[5]] ^ tables[1][bytes[6]]
            ^ tables[0][bytes[7]];
    }
    for (; n > 0; n--, bytes++) crc = (crc >> 8) ^ tables[0][(crc ^ *bytes) & 0xff];
    return ~crc;
}

static int supported(void) { return 1; }

const checksum_variant checksum_variant_table = {"table", supported, prepare, crc32c};
