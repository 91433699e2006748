/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/* The integer sums of a tile of up to 4 rows: add_rows() is compiled for each number of them. */

static void add_products(int rows, const uint8_t *inputs, const int8_t *weights, const int32_t *compensation, int depth,
                         int32_t *sums) {
  if (rows == 1) add_rows(1, inputs, weights, compensation, depth, sums);
  else if (rows == 2) add_rows(2, inputs, weights, compensation, depth, sums);
  else if (rows == 3) add_rows(3, inputs, weights, compensation, depth, sums);
  else add_rows(4, inputs, weights, compensation, depth, sums);
}
