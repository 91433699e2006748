/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/* Sixteen float lanes in two registers of AVX2, with FMA and F16C. */

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

/* Products take unsigned bytes. */
#define STORED_ZERO 0

typedef struct {
  __m256 low, high;
} Lanes;

#define LANES_OF(function) static inline Lanes lanes_##function

LANES_OF(load)(const float *from) { return (Lanes){_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)}; }

static inline void lanes_store(float *to, Lanes a) {
  _mm256_storeu_ps(to, a.low);
  _mm256_storeu_ps(to + 8, a.high);
}

LANES_OF(set)(float x) { return (Lanes){_mm256_set1_ps(x), _mm256_set1_ps(x)}; }

LANES_OF(add)(Lanes a, Lanes b) { return (Lanes){_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }

LANES_OF(sub)(Lanes a, Lanes b) { return (Lanes){_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)}; }

LANES_OF(mul)(Lanes a, Lanes b) { return (Lanes){_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }

LANES_OF(div)(Lanes a, Lanes b) { return (Lanes){_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)}; }

LANES_OF(max)(Lanes a, Lanes b) { return (Lanes){_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)}; }

LANES_OF(min)(Lanes a, Lanes b) { return (Lanes){_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)}; }

/* a * b + c, rounded once */
LANES_OF(fma)(Lanes a, Lanes b, Lanes c) {
  return (Lanes){_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}

/* c - a * b, rounded once */
LANES_OF(fnma)(Lanes a, Lanes b, Lanes c) {
  return (Lanes){_mm256_fnmadd_ps(a.low, b.low, c.low), _mm256_fnmadd_ps(a.high, b.high, c.high)};
}

LANES_OF(abs)(Lanes a) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return (Lanes){_mm256_andnot_ps(sign, a.low), _mm256_andnot_ps(sign, a.high)};
}

/* Nearest integers, ties to even. */
LANES_OF(round)(Lanes a) {
  return (Lanes){_mm256_round_ps(a.low, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
                 _mm256_round_ps(a.high, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}

static inline __m256 scale8(__m256 a, __m256 n) {
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  return _mm256_mul_ps(a, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)));
}

/* a * 2^n for integers n from -126 to 127 */
LANES_OF(scale)(Lanes a, Lanes n) { return (Lanes){scale8(a.low, n.low), scale8(a.high, n.high)}; }

LANES_OF(from_integers)(const int32_t *from) {
  return (Lanes){_mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)from)),
                 _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)(from + 8)))};
}

LANES_OF(from_halves)(const uint16_t *from) {
  return (Lanes){_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)from)),
                 _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(from + 8)))};
}

/* Nearest integers, ties to even, plus an offset, as bytes. Each has to fit. */
static inline void lanes_store_bytes(uint8_t *to, Lanes a, int offset) {
  const __m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(a.low), _mm256_cvtps_epi32(a.high));
  /* packs works on halves of registers: put the quarters in order. */
  const __m256i ordered = _mm256_permute4x64_epi64(words, 0xd8);
  const __m256i moved = _mm256_add_epi16(ordered, _mm256_set1_epi16((short)offset));
  _mm_storeu_si128((__m128i *)to,
                   _mm_packus_epi16(_mm256_castsi256_si128(moved), _mm256_extracti128_si256(moved, 1)));
}

/* The first `count` lanes (all, when it is more), and `other` in the rest. */
LANES_OF(first)(Lanes a, int count, float other) {
  if (count >= 16) return a;
  const __m256i places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256 low = _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(count), places));
  const __m256 high = _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(count - 8), places));
  const __m256 rest = _mm256_set1_ps(other);
  return (Lanes){_mm256_blendv_ps(rest, a.low, low), _mm256_blendv_ps(rest, a.high, high)};
}

/* Halves are added to halves. */
static inline float lanes_sum(Lanes a) {
  const __m256 eight = _mm256_add_ps(a.low, a.high);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

static inline float lanes_greatest(Lanes a) {
  const __m256 eight = _mm256_max_ps(a.low, a.high);
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

static inline void transpose8(const float *from, size_t stride, int rows, float *to, size_t to_stride) {
  __m256 r[8], t[8];
  for (int i = 0; i < 8; i++) r[i] = i < rows ? _mm256_loadu_ps(from + (size_t)i * stride) : _mm256_setzero_ps();
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  for (int i = 0; i < 4; i++) {
    _mm256_storeu_ps(to + (size_t)i * to_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
    _mm256_storeu_ps(to + (size_t)(i + 4) * to_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
  }
}

/* A square of 16 x 16. Of `from` only so many rows are read; zeros take the place of the others. */
static inline void lanes_transpose(const float *from, size_t stride, int rows, float *to, size_t to_stride) {
  for (int row = 0; row < 16; row += 8)
    for (int column = 0; column < 16; column += 8)
      transpose8(from + (size_t)row * stride + column, stride, rows - row, to + (size_t)column * to_stride + row,
                 to_stride);
}
