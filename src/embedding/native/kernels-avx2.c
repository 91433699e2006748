/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/* Kernels for x86-64 CPUs with AVX2, FMA and F16C. */

#include <string.h>

#include "cpu-features.h"
#include "kernels.h"
#include "lanes-avx2.h"

#define TILE_ROWS 4
#define TILE_VECTORS 1
#define QUERIES 4
#define KEY_VECTORS 1
#define CONTEXT_VECTORS 1

/* Adds to 8 sums the products of 4 unsigned inputs each. Two products are added in 16 bits first: the weights are such
 * that no pair overflows (docs/numerics.md), so the sums are exact. */
static inline __m256i add_four(__m256i sums, __m256i inputs, __m256i weights) {
  return _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_maddubs_epi16(inputs, weights), _mm256_set1_epi16(1)));
}

#include "products-256.h"

#include "kernels-of-lanes.h"

const Kernels kernels_avx2 = KERNELS_OF_LANES("avx2", cpu_has_avx2);
