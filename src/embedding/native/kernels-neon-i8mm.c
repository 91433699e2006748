/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/* Kernels for 64-bit ARM CPUs with products of matrices of bytes. */

#include "cpu-features.h"
#include "kernels.h"
#include "lanes-neon.h"

#define TILE_ROWS 4
#define TILE_VECTORS 1
#define QUERIES 4
#define KEY_VECTORS 1
#define CONTEXT_VECTORS 1

/* Rows go in pairs and columns too: vmmlaq_s32 adds to 2 x 2 sums the products of 8 inputs. An odd last row is paired
 * with itself. */
static inline __attribute__((always_inline)) void add_rows(const int rows, const uint8_t *inputs,
                                                           const int8_t *weights, const int32_t *compensation,
                                                           int depth, int32_t *sums) {
  const int pairs = (rows + 1) / 2;
  int32x4_t sum[TILE_ROWS / 2][8];
  for (int p = 0; p < pairs; p++)
    for (int c = 0; c < 8; c++) sum[p][c] = vdupq_n_s32(0);
  for (int k = 0; k < depth; k += 2 * GROUP, weights += 2 * GROUP * LANES) {
    int8x16_t input[TILE_ROWS / 2];
    for (int p = 0; p < pairs; p++) {
      const uint8_t *first = inputs + (size_t)(2 * p) * depth + k;
      const uint8_t *second = 2 * p + 1 < rows ? first + depth : first;
      input[p] = vreinterpretq_s8_u8(vcombine_u8(vld1_u8(first), vld1_u8(second)));
    }
    for (int c = 0; c < 4; c++) {
      /* Inputs k to k + 3 of four columns, then k + 4 to k + 7: zipped, all 8 of a column lie together. */
      const int32x4_t early = vreinterpretq_s32_s8(vld1q_s8(weights + 16 * c));
      const int32x4_t late = vreinterpretq_s32_s8(vld1q_s8(weights + GROUP * LANES + 16 * c));
      const int8x16_t left = vreinterpretq_s8_s32(vzip1q_s32(early, late));
      const int8x16_t right = vreinterpretq_s8_s32(vzip2q_s32(early, late));
      for (int p = 0; p < pairs; p++) {
        sum[p][2 * c] = vmmlaq_s32(sum[p][2 * c], input[p], left);
        sum[p][2 * c + 1] = vmmlaq_s32(sum[p][2 * c + 1], input[p], right);
      }
    }
  }
  for (int p = 0; p < pairs; p++)
    for (int c = 0; c < 4; c++) {
      const int64x2_t left = vreinterpretq_s64_s32(sum[p][2 * c]), right = vreinterpretq_s64_s32(sum[p][2 * c + 1]);
      const int32x4_t start = vld1q_s32(compensation + 4 * c);
      const int32x4_t first = vreinterpretq_s32_s64(vzip1q_s64(left, right));
      const int32x4_t second = vreinterpretq_s32_s64(vzip2q_s64(left, right));
      vst1q_s32(sums + 2 * p * LANES + 4 * c, vaddq_s32(first, start));
      if (2 * p + 1 < rows) vst1q_s32(sums + (2 * p + 1) * LANES + 4 * c, vaddq_s32(second, start));
    }
}

#include "add-up-to-four-rows.h"

#include "kernels-of-lanes.h"

const Kernels kernels_neon_i8mm = KERNELS_OF_LANES("neon-i8mm", cpu_has_neon_i8mm);
