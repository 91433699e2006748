/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/* Kernels for every 64-bit ARM CPU. */

#include "cpu-features.h"
#include "kernels.h"
#include "lanes-neon.h"

/* Products of 8 inputs in 16 bits, then added in 32. */
#define add_group(rows, sum, input, weights, lane)                                                                     \
  for (int c = 0; c < 4; c++) {                                                                                        \
    const int8x16_t w = vld1q_s8((weights) + 16 * c);                                                                  \
    for (int r = 0; r < (rows); r++) {                                                                                 \
      const int8x16_t four =                                                                                           \
          vreinterpretq_s8_s32(vdupq_laneq_s32(vreinterpretq_s32_s8((input)[r]), lane));                               \
      const int16x8_t low = vmull_s8(vget_low_s8(four), vget_low_s8(w));                                               \
      const int16x8_t high = vmull_high_s8(four, w);                                                                   \
      (sum)[r][c] = vaddq_s32((sum)[r][c], vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));                           \
    }                                                                                                                  \
  }

#include "products-neon.h"

#include "kernels-of-lanes.h"

const Kernels kernels_neon = KERNELS_OF_LANES("neon", cpu_has_neon);
