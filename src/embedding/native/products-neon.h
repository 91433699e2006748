/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/* Integer sums of a tile of up to 4 rows and 16 columns, by add_group() on 16 inputs: see the files that include this. */

#define TILE_ROWS 4
#define TILE_VECTORS 1
#define QUERIES 4
#define KEY_VECTORS 1
#define CONTEXT_VECTORS 1

static inline __attribute__((always_inline)) void add_rows(const int rows, const uint8_t *inputs,
                                                           const int8_t *weights, const int32_t *compensation,
                                                           int depth, int32_t *sums) {
  int32x4_t sum[TILE_ROWS][4];
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < 4; c++) sum[r][c] = vld1q_s32(compensation + 4 * c);
  for (int k = 0; k < depth; k += 4 * GROUP) {
    int8x16_t input[TILE_ROWS];
    for (int r = 0; r < rows; r++) input[r] = vreinterpretq_s8_u8(vld1q_u8(inputs + (size_t)r * depth + k));
    add_group(rows, sum, input, weights, 0);
    add_group(rows, sum, input, weights + 64, 1);
    add_group(rows, sum, input, weights + 128, 2);
    add_group(rows, sum, input, weights + 192, 3);
    weights += 256;
  }
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < 4; c++) vst1q_s32(sums + r * LANES + 4 * c, sum[r][c]);
}

#include "add-up-to-four-rows.h"
