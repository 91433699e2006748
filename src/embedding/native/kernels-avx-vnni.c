/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/* Kernels for x86-64 CPUs with AVX2, FMA, F16C and AVX-VNNI. */

#include <string.h>

#include "cpu-features.h"
#include "kernels.h"
#include "lanes-avx2.h"

#define TILE_ROWS 6
#define TILE_VECTORS 1
#define QUERIES 4
#define KEY_VECTORS 1
#define CONTEXT_VECTORS 1

/* Adds to 8 sums the products of 4 unsigned inputs each. */
static inline __m256i add_four(__m256i sums, __m256i inputs, __m256i weights) {
  return _mm256_dpbusd_avx_epi32(sums, inputs, weights);
}

#include "products-256.h"

#include "kernels-of-lanes.h"

const Kernels kernels_avx_vnni = KERNELS_OF_LANES("avx-vnni", cpu_has_avx_vnni);
