/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/* Kernels for 64-bit ARM CPUs with dot products of bytes. */

#include "cpu-features.h"
#include "kernels.h"
#include "lanes-neon.h"

#define add_group(rows, sum, input, weights, lane)                                                                     \
  for (int c = 0; c < 4; c++) {                                                                                        \
    const int8x16_t w = vld1q_s8((weights) + 16 * c);                                                                  \
    for (int r = 0; r < (rows); r++) (sum)[r][c] = vdotq_laneq_s32((sum)[r][c], w, (input)[r], lane);                  \
  }

#include "products-neon.h"

#include "kernels-of-lanes.h"

const Kernels kernels_neon_dotprod = KERNELS_OF_LANES("neon-dotprod", cpu_has_neon_dotprod);
