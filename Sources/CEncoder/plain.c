/// Plain C, which runs everywhere: vectors of four floats, which the compiler makes of what there is.
#define LANES 4
#define VECTORS 2
#define ROWS 4
#define TARGET
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#include "body.h"

static int supported(void) { return 1; }

DEFINE_VARIANT(encoder_variant_plain, "plain C")
