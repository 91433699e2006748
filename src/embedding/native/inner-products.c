/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

#include "inner-products.h"

/* Parts of a sum of doubles. The order of its additions is that of embedding-products.ts. */
#define PARTIAL_SUMS 8

void multiply_rows(const int16_t *embedding, const int8_t *rows, const int32_t *indexes, size_t count, size_t columns,
                   int32_t *products) {
  for (size_t i = 0; i < count; i++) {
    const int8_t *row = rows + (size_t)indexes[i] * columns;
    int32_t sum = 0;
    for (size_t j = 0; j < columns; j++) sum += embedding[j] * row[j];
    products[i] = sum;
  }
}

void add_products(const float *embedding, const float *rows, size_t stride, size_t count, size_t columns,
                  double *sums) {
  for (size_t i = 0; i < count; i++) {
    const float *row = rows + i * stride;
    double parts[PARTIAL_SUMS] = {0};
    size_t j = 0;
    for (; j + PARTIAL_SUMS <= columns; j += PARTIAL_SUMS)
      for (size_t part = 0; part < PARTIAL_SUMS; part++)
        parts[part] += (double)embedding[j + part] * (double)row[j + part];
    double rest = 0;
    for (; j < columns; j++) rest += (double)embedding[j] * (double)row[j];
    for (size_t half = PARTIAL_SUMS / 2; half > 0; half /= 2)
      for (size_t part = 0; part < half; part++) parts[part] += parts[part + half];
    sums[i] += parts[0] + rest;
  }
}
