/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/*
 * The intrinsics of AVX-512, AVX-VNNI and AMX in software, by SIMDe (Debian: libsimde-dev), so that the source of those
 * kernels can be checked on a CPU that has AVX2 alone. What SIMDe 0.7.4 lacks is made of halves here; its
 * _mm512_abs_ps(), which keeps the sign of -0, is replaced. AMX, which it lacks, is made here too. Included before all
 * else.
 */

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx2.h>
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>

#undef _mm512_abs_ps
#define _mm512_abs_ps emulated_abs_ps
static inline simde__m512 emulated_abs_ps(simde__m512 a) {
  simde__m512_private floats = simde__m512_to_private(a);
  for (int half = 0; half < 2; half++) floats.m256[half] = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), floats.m256[half]);
  return simde__m512_from_private(floats);
}

#undef _mm512_cvtepi32_ps
#define _mm512_cvtepi32_ps emulated_cvtepi32_ps
static inline simde__m512 emulated_cvtepi32_ps(simde__m512i a) {
  simde__m512i_private integers = simde__m512i_to_private(a);
  simde__m512_private floats;
  for (int lane = 0; lane < 16; lane++) floats.f32[lane] = (float)integers.i32[lane];
  return simde__m512_from_private(floats);
}

#undef _mm512_cvtph_ps
#define _mm512_cvtph_ps emulated_cvtph_ps
static inline simde__m512 emulated_cvtph_ps(__m256i halves) {
  simde__m512_private floats;
  floats.m256[0] = _mm256_cvtph_ps(_mm256_castsi256_si128(halves));
  floats.m256[1] = _mm256_cvtph_ps(_mm256_extracti128_si256(halves, 1));
  return simde__m512_from_private(floats);
}

#undef _mm512_cvtps_epi32
#define _mm512_cvtps_epi32 emulated_cvtps_epi32
static inline simde__m512i emulated_cvtps_epi32(simde__m512 a) {
  const simde__m512_private floats = simde__m512_to_private(a);
  simde__m512i_private integers;
  for (int half = 0; half < 2; half++) integers.m256i[half] = _mm256_cvtps_epi32(floats.m256[half]);
  return simde__m512i_from_private(integers);
}

#undef _mm512_cvtepi32_epi8
#define _mm512_cvtepi32_epi8 emulated_cvtepi32_epi8
static inline __m128i emulated_cvtepi32_epi8(simde__m512i a) {
  const simde__m512i_private integers = simde__m512i_to_private(a);
  int8_t bytes[16];
  for (int lane = 0; lane < 16; lane++) bytes[lane] = (int8_t)integers.i32[lane];
  return _mm_loadu_si128((const __m128i *)bytes);
}

#undef _mm512_extractf32x8_ps
#define _mm512_extractf32x8_ps emulated_extractf32x8_ps
static inline __m256 emulated_extractf32x8_ps(simde__m512 a, int half) {
  const simde__m512_private floats = simde__m512_to_private(a);
  return floats.m256[half];
}

/* Two quarters of a, then two of b, selected by two bits of `which` each. */
#undef _mm512_shuffle_f32x4
#define _mm512_shuffle_f32x4 emulated_shuffle_f32x4
static inline simde__m512 emulated_shuffle_f32x4(simde__m512 a, simde__m512 b, int which) {
  const simde__m512_private from_a = simde__m512_to_private(a), from_b = simde__m512_to_private(b);
  simde__m512_private floats;
  for (int quarter = 0; quarter < 4; quarter++)
    floats.m128[quarter] = (quarter < 2 ? from_a : from_b).m128[which >> (2 * quarter) & 3];
  return simde__m512_from_private(floats);
}

#undef _mm256_dpbusd_avx_epi32
#define _mm256_dpbusd_avx_epi32 simde_mm256_dpbusd_epi32

/*
 * Tiles, as the SDM defines them (volume 2: LDTILECFG, TILELOADD, TILESTORED, TDPBUSD). Whatever its shape does not
 * cover is zero in a tile that was loaded. Without a configuration, or with shapes that do not fit, the program ends.
 */
#undef _tile_loadconfig
#define _tile_loadconfig emulated_tile_loadconfig
#undef _tile_release
#define _tile_release emulated_tile_release
#undef _tile_loadd
#define _tile_loadd emulated_tile_loadd
#undef _tile_stored
#define _tile_stored emulated_tile_stored
#undef _tile_dpbusd
#define _tile_dpbusd emulated_tile_dpbusd

#include <stdlib.h>
#include <string.h>

typedef struct {
  int rows, row_bytes;
  uint8_t bytes[16][64];
} EmulatedTile;

static EmulatedTile emulated_tiles[8];

static inline void emulated_tile_release(void) { memset(emulated_tiles, 0, sizeof emulated_tiles); }

static inline void emulated_tile_loadconfig(const void *operand) {
  const uint8_t *configuration = operand;
  emulated_tile_release();
  if (configuration[0] != 1) abort();
  for (int tile = 0; tile < 8; tile++) {
    emulated_tiles[tile].rows = configuration[48 + tile];
    emulated_tiles[tile].row_bytes = configuration[16 + 2 * tile] | configuration[17 + 2 * tile] << 8;
    if (emulated_tiles[tile].rows > 16 || emulated_tiles[tile].row_bytes > 64) abort();
  }
}

static inline void emulated_tile_loadd(int to, const void *from, size_t stride) {
  EmulatedTile *tile = emulated_tiles + to;
  if (tile->rows == 0) abort();
  memset(tile->bytes, 0, sizeof tile->bytes);
  for (int row = 0; row < tile->rows; row++)
    memcpy(tile->bytes[row], (const uint8_t *)from + row * stride, (size_t)tile->row_bytes);
}

static inline void emulated_tile_stored(int from, void *to, size_t stride) {
  const EmulatedTile *tile = emulated_tiles + from;
  if (tile->rows == 0) abort();
  for (int row = 0; row < tile->rows; row++)
    memcpy((uint8_t *)to + row * stride, tile->bytes[row], (size_t)tile->row_bytes);
}

static inline void emulated_tile_dpbusd(int to, int unsigned_bytes, int signed_bytes) {
  EmulatedTile *sums = emulated_tiles + to;
  const EmulatedTile *a = emulated_tiles + unsigned_bytes, *b = emulated_tiles + signed_bytes;
  if (sums->rows == 0 || a->rows != sums->rows || b->row_bytes != sums->row_bytes || b->rows * 4 != a->row_bytes) abort();
  for (int row = 0; row < sums->rows; row++)
    for (int column = 0; column < sums->row_bytes / 4; column++) {
      int32_t sum;
      memcpy(&sum, sums->bytes[row] + 4 * column, sizeof sum);
      for (int k = 0; k < a->row_bytes; k++)
        sum += a->bytes[row][k] * (int8_t)b->bytes[k / 4][4 * column + k % 4];
      memcpy(sums->bytes[row] + 4 * column, &sum, sizeof sum);
    }
}

/* The emulated kernels run on every CPU with AVX2. */
#define cpu_has_avx512_vnni cpu_has_avx2
#define cpu_has_avx_vnni cpu_has_avx2
#define cpu_has_amx_int8 cpu_has_avx2
