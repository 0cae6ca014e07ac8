/// NEON, which every aarch64 processor has: 24 of its 32 registers are sums.
#if defined(__aarch64__)
#define LANES 4
#define VECTORS 4
#define ROWS 6
#define TARGET
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#include "body.h"

static int supported(void) { return 1; }

DEFINE_VARIANT(encoder_variant_neon, "NEON")
#else
typedef int encoder_without_neon;
#endif
