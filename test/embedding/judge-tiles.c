/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/* Tests judge_tiles() with answers of all kinds. Status 0 when each is judged as it should be. */

#include <assert.h>

#include "cpu-features.h"
#include "kernels.h"

/* cpu-features.c lists the tables; the kernels themselves are not needed here. */
const Kernels kernels_reference, kernels_avx2, kernels_avx_vnni, kernels_avx512_vnni, kernels_amx_int8;

static int requests;

static int grant(void) {
  requests++;
  return 0;
}

static int refuse(void) {
  requests++;
  return -1;
}

int main(void) {
  const uint32_t tile = 1u << 24, int8 = 1u << 25, bfloat16 = 1u << 22;
  const uint32_t vectors = 0xe6, configuration = 1u << 17, data = 1u << 18, all = vectors | configuration | data;
  assert(judge_tiles(tile | int8, all, grant) == TILES_GRANTED);
  assert(judge_tiles(tile | int8 | bfloat16, all, refuse) == TILES_REFUSED);
  assert(requests == 2);
  /* A CPU without tiles, or a system that does not know them, is not asked: an old one might end the process. */
  assert(judge_tiles(0, all, grant) == TILES_MISSING);
  assert(judge_tiles(tile | bfloat16, all, grant) == TILES_MISSING);
  assert(judge_tiles(int8, all, grant) == TILES_MISSING);
  assert(judge_tiles(tile | int8, vectors, grant) == TILES_MISSING);
  assert(judge_tiles(tile | int8, vectors | configuration, grant) == TILES_MISSING);
  assert(judge_tiles(tile | int8, vectors | data, grant) == TILES_MISSING);
  assert(requests == 2);
  return 0;
}
