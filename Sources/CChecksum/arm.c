/// CRC32C by the CRC instructions of ARMv8, joined by PMULL.
#include "variant.h"

#if defined(__aarch64__)
#include <arm_acle.h>
#include <arm_neon.h>
#if defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#define TARGET __attribute__((target("crc,aes")))
#define CRC_BYTE(crc, byte) __crc32cb(crc, byte)
#define CRC_WORD(crc, word) __crc32cd(crc, word)
#define MULTIPLY(a, b) ((uint64_t)vmull_p64((poly64_t)(a), (poly64_t)(b)))

#include "lanes.h"

/// Apple's aarch64 processors all have both; elsewhere the kernel says. Where nothing is known, the
/// table serves.
static int supported(void) {
#if defined(__APPLE__)
    return 1;
#elif defined(__linux__)
    unsigned long needed = HWCAP_CRC32 | HWCAP_PMULL;
    return (getauxval(AT_HWCAP) & needed) == needed;
#else
    return 0;
#endif
}

const checksum_variant checksum_variant_arm = {"ARMv8 CRC", supported, fill_factors, crc32c};
#endif
