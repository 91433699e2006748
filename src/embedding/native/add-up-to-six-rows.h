/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/* The integer sums of a tile of TILE_ROWS rows, 4 or 6, or fewer. */

/* A function for each number of rows, so that none is asked for in the loop. */
#define ADD_PRODUCTS(count)                                                                                            \
  static __attribute__((noinline)) void add_products_##count(const uint8_t *inputs, const int8_t *weights,             \
                                                             const int32_t *compensation, int depth,                   \
                                                             int32_t *sums) {                                          \
    add_rows(count, inputs, weights, compensation, depth, sums);                                                       \
  }
ADD_PRODUCTS(1)
ADD_PRODUCTS(2)
ADD_PRODUCTS(3)
ADD_PRODUCTS(4)
#if TILE_ROWS > 4
ADD_PRODUCTS(5)
ADD_PRODUCTS(6)
#endif

static void add_products(int rows, const uint8_t *inputs, const int8_t *weights, const int32_t *compensation, int depth,
                         int32_t *sums) {
  switch (rows) {
  case 1: add_products_1(inputs, weights, compensation, depth, sums); break;
  case 2: add_products_2(inputs, weights, compensation, depth, sums); break;
  case 3: add_products_3(inputs, weights, compensation, depth, sums); break;
#if TILE_ROWS > 4
  case 5: add_products_5(inputs, weights, compensation, depth, sums); break;
  case 6: add_products_6(inputs, weights, compensation, depth, sums); break;
#endif
  default: add_products_4(inputs, weights, compensation, depth, sums);
  }
}
