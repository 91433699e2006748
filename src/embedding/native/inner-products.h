/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

#ifndef SBERT_INNER_PRODUCTS_H
#define SBERT_INNER_PRODUCTS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Inner products of one embedding with rows of a matrix, for models that answer questions. They are the same numbers as
 * those of src/learning/embedding-products.ts, which computes where there is no native program.
 */

/* products[i] = the product with row indexes[i] of `rows`. Exact: |product| must be below 2^31. */
void multiply_rows(const int16_t *embedding, const int8_t *rows, const int32_t *indexes, size_t count, size_t columns,
                   int32_t *products);

/* sums[i] += the product with row i of `rows`, whose rows begin `stride` numbers apart. Each product of two numbers is
 * exact; their sum is in doubles, in 8 parts: part l gets columns l, l + 8 and so on, up to a multiple of 8. */
void add_products(const float *embedding, const float *rows, size_t stride, size_t count, size_t columns, double *sums);

#endif
