/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/*
 * A BERT sentence encoder in 8-bit integers, for x86-64 CPUs with AVX-512 and VNNI. All sentences of a batch are rows
 * of one matrix, without padding; attention and pooling see each sentence by itself. A row's result never depends on
 * the rows beside it: integer sums are exact, and every float is made by the same instructions wherever its row lies.
 */

#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "encoder.h"
#include "shared-file.h"

#define LANES 16
/* Columns of a panel of packed weights, in vectors of 16 lanes. */
#define PANEL_VECTORS 4
#define PANEL (LANES * PANEL_VECTORS)
/* Rows that a kernel computes at a time: 6 x 4 sums fit into the 32 vector registers beside what they are made of. */
#define ROWS 6
#define SYMMETRIC_ZERO_POINT 128
#define SYMMETRIC_STEPS 127.0f
#define GELU_ZERO_POINT 24
#define GELU_STEPS 231.0f
#define GELU_LEAST 0.17f

typedef struct {
  const int8_t *weights;  /* outputs / 64 panels, each inputs / 4 times 64 columns of 4 neighbouring inputs */
  const int32_t *offsets; /* of integer sums: what the zero point of the inputs added */
  const float *scales;
  const float *bias;
  int inputs, outputs;
} Product;

typedef struct {
  const float *gain, *offset;
} Normalization;

typedef struct {
  const float *attention_steps; /* reciprocal step of each column of the input of query, key and value */
  Product attention, output;
  Normalization attended;
  const float *inner_steps;
  Product inner, outer;
  Normalization fed;
} Layer;

/* What is computed in; grows with the longest batch. */
typedef struct {
  void *memory;
  int tokens;
  float *hidden, *projections, *context, *inner, *maxima, *row_scales, *keys, *scores;
  uint8_t *bytes, *inner_bytes;
} Scratch;

struct Encoder {
  int layers, heads, hidden, intermediate, max_tokens, vocabulary, is_cls;
  float epsilon;
  const uint16_t *words; /* float16 */
  const float *places;
  Normalization embedded;
  Layer *layer;
  Scratch scratch;
  SharedFile *weights_file, *words_file;
};

static inline __m512 exponential(__m512 x) {
  /* 2^n * e^r with |r| <= ln 2 / 2; the polynomial is Taylor's, to degree 6: off by less than 2e-7 of the value. */
  x = _mm512_max_ps(x, _mm512_set1_ps(-87.0f));
  x = _mm512_min_ps(x, _mm512_set1_ps(87.0f));
  __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)),
                                  _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
  r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
  __m512 p = _mm512_set1_ps(1.0f / 720);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 120));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 24));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 6));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
  return _mm512_scalef_ps(p, n);
}

/* The tanh form: x * sigmoid(2 * sqrt(2 / pi) * (x + 0.044715 x^3)); one step of Newton refines the reciprocal. */
static inline __m512 gelu(__m512 x) {
  __m512 cubic = _mm512_fmadd_ps(_mm512_mul_ps(x, x), _mm512_set1_ps(-2 * 0.7978845608f * 0.044715f),
                                 _mm512_set1_ps(-2 * 0.7978845608f));
  __m512 denominator = _mm512_add_ps(_mm512_set1_ps(1.0f), exponential(_mm512_mul_ps(x, cubic)));
  __m512 reciprocal = _mm512_rcp14_ps(denominator);
  reciprocal = _mm512_mul_ps(reciprocal, _mm512_fnmadd_ps(denominator, reciprocal, _mm512_set1_ps(2.0f)));
  return _mm512_mul_ps(x, reciprocal);
}

typedef enum { PLAIN, WITH_GELU, WITH_RESIDUAL } Ending;

typedef struct {
  float *out;
  const float *row_scales; /* WITH_RESIDUAL: of the inputs */
  const float *residual;
  float *maxima; /* WITH_GELU: 16 for each row */
} Destination;

/* One variable for each sum: of an array the compiler keeps copies in memory. */
#define START_ROW(r) __m512i sum##r##0 = offset0, sum##r##1 = offset1, sum##r##2 = offset2, sum##r##3 = offset3
#define ADD_ROW(r)                                                                                                     \
  if (rows > r) {                                                                                                      \
    int32_t four;                                                                                                      \
    memcpy(&four, first + (size_t)r * depth + k, 4);                                                                   \
    const __m512i input = _mm512_set1_epi32(four);                                                                     \
    sum##r##0 = _mm512_dpbusd_epi32(sum##r##0, input, column0);                                                        \
    sum##r##1 = _mm512_dpbusd_epi32(sum##r##1, input, column1);                                                        \
    sum##r##2 = _mm512_dpbusd_epi32(sum##r##2, input, column2);                                                        \
    sum##r##3 = _mm512_dpbusd_epi32(sum##r##3, input, column3);                                                        \
  }
#define END_ROW(r)                                                                                                     \
  if (rows > r) {                                                                                                      \
    _mm512_store_si512(sums + (r * 4 + 0) * LANES, sum##r##0);                                                         \
    _mm512_store_si512(sums + (r * 4 + 1) * LANES, sum##r##1);                                                         \
    _mm512_store_si512(sums + (r * 4 + 2) * LANES, sum##r##2);                                                         \
    _mm512_store_si512(sums + (r * 4 + 3) * LANES, sum##r##3);                                                         \
  }

/* Integer sums of some rows and the 64 columns of a panel. */
static inline __attribute__((always_inline)) void add_products(const uint8_t *first, const int8_t *weights,
                                                               const int32_t *offsets, const int depth, const int rows,
                                                               int32_t *sums) {
  const __m512i offset0 = _mm512_load_si512(offsets), offset1 = _mm512_load_si512(offsets + 16);
  const __m512i offset2 = _mm512_load_si512(offsets + 32), offset3 = _mm512_load_si512(offsets + 48);
  START_ROW(0);
  START_ROW(1);
  START_ROW(2);
  START_ROW(3);
  START_ROW(4);
  START_ROW(5);
  for (int k = 0; k < depth; k += 4, weights += 4 * PANEL) {
    const __m512i column0 = _mm512_load_si512(weights), column1 = _mm512_load_si512(weights + 64);
    const __m512i column2 = _mm512_load_si512(weights + 128), column3 = _mm512_load_si512(weights + 192);
    ADD_ROW(0)
    ADD_ROW(1)
    ADD_ROW(2)
    ADD_ROW(3)
    ADD_ROW(4)
    ADD_ROW(5)
  }
  END_ROW(0)
  END_ROW(1)
  END_ROW(2)
  END_ROW(3)
  END_ROW(4)
  END_ROW(5)
}

#define ADD_PRODUCTS(count)                                                                                            \
  static __attribute__((noinline)) void add_products_##count(const uint8_t *first, const int8_t *weights,              \
                                                             const int32_t *offsets, int depth, int32_t *sums) {       \
    add_products(first, weights, offsets, depth, count, sums);                                                         \
  }
ADD_PRODUCTS(1)
ADD_PRODUCTS(2)
ADD_PRODUCTS(3)
ADD_PRODUCTS(4)
ADD_PRODUCTS(5)
ADD_PRODUCTS(6)

typedef void AddProducts(const uint8_t *first, const int8_t *weights, const int32_t *offsets, int depth, int32_t *sums);
static AddProducts *const add_products_of[ROWS] = {add_products_1, add_products_2, add_products_3,
                                                   add_products_4, add_products_5, add_products_6};

/* Makes floats of the sums. */
static inline __attribute__((always_inline)) void finish(const int32_t *sums, const Product *product, int panel,
                                                         int row, int rows, const Ending ending,
                                                         const Destination *to) {
  for (int r = 0; r < rows; r++) {
    const size_t place = (size_t)(row + r) * product->outputs + panel * PANEL;
    __m512 greatest = _mm512_setzero_ps();
    if (ending == WITH_GELU && panel > 0) greatest = _mm512_loadu_ps(to->maxima + (size_t)(row + r) * LANES);
    for (int v = 0; v < PANEL_VECTORS; v++) {
      const int column = panel * PANEL + v * LANES;
      const __m512i sum = _mm512_load_si512(sums + (r * PANEL_VECTORS + v) * LANES);
      __m512 value = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_loadu_ps(product->scales + column));
      const __m512 bias = _mm512_loadu_ps(product->bias + column);
      if (ending == WITH_RESIDUAL) {
        value = _mm512_fmadd_ps(value, _mm512_set1_ps(to->row_scales[row + r]), bias);
        value = _mm512_add_ps(value, _mm512_loadu_ps(to->residual + place + v * LANES));
      } else {
        value = _mm512_add_ps(value, bias);
      }
      if (ending == WITH_GELU) {
        value = gelu(value);
        greatest = _mm512_max_ps(greatest, value);
      }
      _mm512_storeu_ps(to->out + place + v * LANES, value);
    }
    if (ending == WITH_GELU) _mm512_storeu_ps(to->maxima + (size_t)(row + r) * LANES, greatest);
  }
}

/* Rows are dealt out evenly, six or fewer at a time, while a panel of weights stays in the nearest cache. */
static inline __attribute__((always_inline)) void multiply(const uint8_t *inputs, int rows, const Product *product,
                                                           const Ending ending, const Destination *to) {
  _Alignas(64) int32_t sums[ROWS * PANEL];
  const int blocks = (rows + ROWS - 1) / ROWS, depth = product->inputs;
  for (int panel = 0; panel < product->outputs / PANEL; panel++) {
    const int8_t *weights = product->weights + (size_t)panel * PANEL * depth;
    int row = 0;
    for (int block = 0; block < blocks; block++) {
      const int end = (int)((int64_t)rows * (block + 1) / blocks);
      add_products_of[end - row - 1](inputs + (size_t)row * depth, weights, product->offsets + panel * PANEL, depth,
                                     sums);
      finish(sums, product, panel, row, end - row, ending, to);
      row = end;
    }
  }
}

static __attribute__((noinline)) void multiply_plain(const uint8_t *inputs, int rows, const Product *product,
                                                     const Destination *to) {
  multiply(inputs, rows, product, PLAIN, to);
}

static __attribute__((noinline)) void multiply_gelu(const uint8_t *inputs, int rows, const Product *product,
                                                    const Destination *to) {
  multiply(inputs, rows, product, WITH_GELU, to);
}

static __attribute__((noinline)) void multiply_residual(const uint8_t *inputs, int rows, const Product *product,
                                                        const Destination *to) {
  multiply(inputs, rows, product, WITH_RESIDUAL, to);
}

static inline void store_bytes(uint8_t *out, __m512 steps, int zero_point) {
  __m512i integers = _mm512_add_epi32(_mm512_cvtps_epi32(steps), _mm512_set1_epi32(zero_point));
  _mm_storeu_si128((__m128i *)out, _mm512_cvtusepi32_epi8(_mm512_max_epi32(integers, _mm512_setzero_si512())));
}

/* Normalises rows in place; with reciprocal steps, also quantises them. */
static void normalize(float *values, int rows, int columns, float epsilon, const Normalization *by, const float *steps,
                      uint8_t *bytes) {
  for (int row = 0; row < rows; row++) {
    float *x = values + (size_t)row * columns;
    __m512 sum = _mm512_setzero_ps();
    for (int c = 0; c < columns; c += LANES) sum = _mm512_add_ps(sum, _mm512_loadu_ps(x + c));
    const __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / (float)columns);
    __m512 squares = _mm512_setzero_ps();
    for (int c = 0; c < columns; c += LANES) {
      __m512 d = _mm512_sub_ps(_mm512_loadu_ps(x + c), mean);
      squares = _mm512_fmadd_ps(d, d, squares);
    }
    const __m512 factor = _mm512_set1_ps(1.0f / sqrtf(_mm512_reduce_add_ps(squares) / (float)columns + epsilon));
    for (int c = 0; c < columns; c += LANES) {
      __m512 d = _mm512_mul_ps(_mm512_sub_ps(_mm512_loadu_ps(x + c), mean), factor);
      __m512 y = _mm512_fmadd_ps(d, _mm512_loadu_ps(by->gain + c), _mm512_loadu_ps(by->offset + c));
      _mm512_storeu_ps(x + c, y);
      if (steps)
        store_bytes(bytes + (size_t)row * columns + c, _mm512_mul_ps(y, _mm512_loadu_ps(steps + c)),
                    SYMMETRIC_ZERO_POINT);
    }
  }
}

/* Quantises each row so that its greatest magnitude is the greatest byte. */
static void quantize_symmetric(const float *values, int rows, int columns, uint8_t *bytes, float *row_scales) {
  for (int row = 0; row < rows; row++) {
    const float *x = values + (size_t)row * columns;
    __m512 greatest = _mm512_setzero_ps();
    for (int c = 0; c < columns; c += LANES) greatest = _mm512_max_ps(greatest, _mm512_abs_ps(_mm512_loadu_ps(x + c)));
    const float maximum = _mm512_reduce_max_ps(greatest);
    row_scales[row] = maximum / SYMMETRIC_STEPS;
    const __m512 steps = _mm512_set1_ps(maximum > 0 ? SYMMETRIC_STEPS / maximum : 0);
    for (int c = 0; c < columns; c += LANES)
      store_bytes(bytes + (size_t)row * columns + c, _mm512_mul_ps(_mm512_loadu_ps(x + c), steps),
                  SYMMETRIC_ZERO_POINT);
  }
}

static void quantize_gelu(const float *values, int rows, int columns, const float *maxima, uint8_t *bytes,
                          float *row_scales) {
  const float least = GELU_LEAST * GELU_STEPS / GELU_ZERO_POINT;
  for (int row = 0; row < rows; row++) {
    const float found = _mm512_reduce_max_ps(_mm512_loadu_ps(maxima + (size_t)row * LANES));
    const float maximum = found > least ? found : least;
    row_scales[row] = maximum / GELU_STEPS;
    const __m512 steps = _mm512_set1_ps(GELU_STEPS / maximum);
    for (int c = 0; c < columns; c += LANES) {
      const size_t place = (size_t)row * columns + c;
      store_bytes(bytes + place, _mm512_mul_ps(_mm512_loadu_ps(values + place), steps), GELU_ZERO_POINT);
    }
  }
}

static inline void transpose16(const float *from, size_t stride, int rows, float *to, size_t to_stride) {
  __m512 r[16], t[16];
  for (int i = 0; i < 16; i++) r[i] = i < rows ? _mm512_loadu_ps(from + (size_t)i * stride) : _mm512_setzero_ps();
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(t[i]), _mm512_castps_pd(t[i + 2])));
    r[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(t[i]), _mm512_castps_pd(t[i + 2])));
    r[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(t[i + 1]), _mm512_castps_pd(t[i + 3])));
    r[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(t[i + 1]), _mm512_castps_pd(t[i + 3])));
  }
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
  }
  for (int i = 0; i < 4; i++) {
    _mm512_storeu_ps(to + (size_t)i * to_stride, _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88));
    _mm512_storeu_ps(to + (size_t)(i + 8) * to_stride, _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd));
    _mm512_storeu_ps(to + (size_t)(i + 4) * to_stride, _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88));
    _mm512_storeu_ps(to + (size_t)(i + 12) * to_stride, _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd));
  }
}

#define QUERIES 4

/* One head of one sentence. Up to four queries go side by side; what one gives does not depend on the others. */
static inline __attribute__((always_inline)) void attend_some(const float *query, size_t stride, const float *keys,
                                                              int padded, int tokens, const float *values, int head,
                                                              float *scores, float *out, size_t out_stride,
                                                              const int count) {
  __m512 greatest[QUERIES], total[QUERIES];
  for (int q = 0; q < count; q++) greatest[q] = _mm512_set1_ps(-INFINITY);
  for (int j = 0; j < padded; j += LANES) {
    __m512 sums[QUERIES];
    for (int q = 0; q < count; q++) sums[q] = _mm512_setzero_ps();
    for (int d = 0; d < head; d++) {
      __m512 column = _mm512_load_ps(keys + (size_t)d * padded + j);
      for (int q = 0; q < count; q++) sums[q] = _mm512_fmadd_ps(_mm512_set1_ps(query[q * stride + d]), column, sums[q]);
    }
    const __mmask16 valid = tokens - j >= LANES ? 0xffff : (__mmask16)((1u << (tokens - j)) - 1);
    for (int q = 0; q < count; q++) {
      sums[q] = _mm512_mask_mov_ps(_mm512_set1_ps(-INFINITY), valid, sums[q]);
      greatest[q] = _mm512_max_ps(greatest[q], sums[q]);
      _mm512_store_ps(scores + (size_t)q * padded + j, sums[q]);
    }
  }
  for (int q = 0; q < count; q++) {
    const __m512 maximum = _mm512_set1_ps(_mm512_reduce_max_ps(greatest[q]));
    total[q] = _mm512_setzero_ps();
    for (int j = 0; j < padded; j += LANES) {
      const __mmask16 valid = tokens - j >= LANES ? 0xffff : (__mmask16)((1u << (tokens - j)) - 1);
      __m512 p = _mm512_maskz_mov_ps(
          valid, exponential(_mm512_sub_ps(_mm512_load_ps(scores + (size_t)q * padded + j), maximum)));
      total[q] = _mm512_add_ps(total[q], p);
      _mm512_store_ps(scores + (size_t)q * padded + j, p);
    }
  }
  float shares[QUERIES];
  for (int q = 0; q < count; q++) shares[q] = 1.0f / _mm512_reduce_add_ps(total[q]);
  for (int d = 0; d < head; d += 2 * LANES) {
    __m512 low[QUERIES], high[QUERIES];
    for (int q = 0; q < count; q++) low[q] = high[q] = _mm512_setzero_ps();
    for (int j = 0; j < tokens; j++) {
      __m512 a = _mm512_loadu_ps(values + (size_t)j * stride + d),
             b = _mm512_loadu_ps(values + (size_t)j * stride + d + LANES);
      for (int q = 0; q < count; q++) {
        __m512 p = _mm512_set1_ps(scores[(size_t)q * padded + j]);
        low[q] = _mm512_fmadd_ps(p, a, low[q]);
        high[q] = _mm512_fmadd_ps(p, b, high[q]);
      }
    }
    for (int q = 0; q < count; q++) {
      _mm512_storeu_ps(out + q * out_stride + d, _mm512_mul_ps(low[q], _mm512_set1_ps(shares[q])));
      _mm512_storeu_ps(out + q * out_stride + d + LANES, _mm512_mul_ps(high[q], _mm512_set1_ps(shares[q])));
    }
  }
}

static void attend(const Encoder *e, const float *projections, int tokens, float *context) {
  const int head = e->hidden / e->heads, padded = (tokens + LANES - 1) / LANES * LANES;
  const size_t stride = 3 * (size_t)e->hidden;
  for (int h = 0; h < e->heads; h++) {
    const float *queries = projections + h * head, *keys = queries + e->hidden, *values = keys + e->hidden;
    for (int j = 0; j < padded; j += LANES)
      for (int d = 0; d < head; d += LANES)
        transpose16(keys + (size_t)j * stride + d, stride, tokens - j, e->scratch.keys + (size_t)d * padded + j,
                    padded);
    int i = 0;
    for (; i + QUERIES <= tokens; i += QUERIES)
      attend_some(queries + i * stride, stride, e->scratch.keys, padded, tokens, values, head, e->scratch.scores,
                  context + (size_t)i * e->hidden + h * head, e->hidden, QUERIES);
    for (; i < tokens; i++)
      attend_some(queries + i * stride, stride, e->scratch.keys, padded, tokens, values, head, e->scratch.scores,
                  context + (size_t)i * e->hidden + h * head, e->hidden, 1);
  }
}

/* Makes room for so many tokens, in one piece of memory. */
static int reserve(Encoder *e, int tokens) {
  Scratch *s = &e->scratch;
  if (tokens <= s->tokens) return 1;
  const size_t t = (size_t)tokens, padded = (t + LANES - 1) / LANES * LANES;
  const size_t hidden = t * e->hidden, inner = t * e->intermediate;
  const size_t bytes[] = {4 * hidden,
                          12 * hidden,
                          4 * hidden,
                          4 * inner,
                          4 * t * LANES,
                          4 * t,
                          4 * padded * (e->hidden / e->heads),
                          4 * padded * QUERIES,
                          hidden,
                          inner};
  void *places[sizeof bytes / sizeof *bytes];
  size_t sum = 0;
  for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) sum += (bytes[i] + 63) / 64 * 64;
  uint8_t *memory = aligned_alloc(64, sum);
  if (!memory) return 0;
  free(s->memory);
  s->memory = memory;
  s->tokens = tokens;
  for (size_t i = 0; i < sizeof bytes / sizeof *bytes; memory += (bytes[i++] + 63) / 64 * 64) places[i] = memory;
  s->hidden = places[0];
  s->projections = places[1];
  s->context = places[2];
  s->inner = places[3];
  s->maxima = places[4];
  s->row_scales = places[5];
  s->keys = places[6];
  s->scores = places[7];
  s->bytes = places[8];
  s->inner_bytes = places[9];
  return 1;
}

static void embed(const Encoder *e, const int32_t *ids, const int32_t *lengths, int sentences, float *out) {
  for (int s = 0; s < sentences; s++)
    for (int place = 0; place < lengths[s]; place++, ids++, out += e->hidden)
      for (int c = 0; c < e->hidden; c += LANES) {
        __m512 word = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(e->words + (size_t)*ids * e->hidden + c)));
        _mm512_storeu_ps(out + c, _mm512_add_ps(word, _mm512_loadu_ps(e->places + (size_t)place * e->hidden + c)));
      }
}

/* Sums the tokens, or takes the first, and divides by the L2 norm. */
static void pool(const Encoder *e, const float *hidden, int tokens, float *out) {
  __m512 squares = _mm512_setzero_ps();
  for (int c = 0; c < e->hidden; c += LANES) {
    __m512 sum = _mm512_loadu_ps(hidden + c);
    for (int t = 1; t < (e->is_cls ? 1 : tokens); t++)
      sum = _mm512_add_ps(sum, _mm512_loadu_ps(hidden + (size_t)t * e->hidden + c));
    squares = _mm512_fmadd_ps(sum, sum, squares);
    _mm512_storeu_ps(out + c, sum);
  }
  const __m512 norm = _mm512_set1_ps(sqrtf(_mm512_reduce_add_ps(squares)));
  for (int c = 0; c < e->hidden; c += LANES) _mm512_storeu_ps(out + c, _mm512_div_ps(_mm512_loadu_ps(out + c), norm));
}

int encoder_encode(Encoder *e, const int32_t *ids, const int32_t *lengths, int sentences, int tokens, float *out) {
  if (!reserve(e, tokens)) return 0;
  const Scratch s = e->scratch;
  embed(e, ids, lengths, sentences, s.hidden);
  normalize(s.hidden, tokens, e->hidden, e->epsilon, &e->embedded, e->layer[0].attention_steps, s.bytes);
  for (int index = 0; index < e->layers; index++) {
    const Layer *layer = e->layer + index;
    multiply_plain(s.bytes, tokens, &layer->attention, &(Destination){.out = s.projections});
    for (int i = 0, start = 0; i < sentences; start += lengths[i++])
      attend(e, s.projections + (size_t)start * 3 * e->hidden, lengths[i], s.context + (size_t)start * e->hidden);
    quantize_symmetric(s.context, tokens, e->hidden, s.bytes, s.row_scales);
    multiply_residual(s.bytes, tokens, &layer->output,
                      &(Destination){.out = s.hidden, .row_scales = s.row_scales, .residual = s.hidden});
    normalize(s.hidden, tokens, e->hidden, e->epsilon, &layer->attended, layer->inner_steps, s.bytes);
    multiply_gelu(s.bytes, tokens, &layer->inner, &(Destination){.out = s.inner, .maxima = s.maxima});
    quantize_gelu(s.inner, tokens, e->intermediate, s.maxima, s.inner_bytes, s.row_scales);
    multiply_residual(s.inner_bytes, tokens, &layer->outer,
                      &(Destination){.out = s.hidden, .row_scales = s.row_scales, .residual = s.hidden});
    const float *steps = index + 1 < e->layers ? e->layer[index + 1].attention_steps : NULL;
    normalize(s.hidden, tokens, e->hidden, e->epsilon, &layer->fed, steps, s.bytes);
  }
  for (int i = 0, start = 0; i < sentences; start += lengths[i++])
    pool(e, s.hidden + (size_t)start * e->hidden, lengths[i], out + (size_t)i * e->hidden);
  return 1;
}

/* The file of weights: this, then the arrays of the model in the order in which encoder_open() reads them, each at a
 * multiple of 64 bytes. Numbers are little-endian. */
typedef struct {
  char magic[8];
  int32_t version, layers, heads, hidden, intermediate, max_tokens, vocabulary, is_cls;
  float epsilon;
  int32_t unused[5];
} Header;

typedef struct {
  const uint8_t *next, *end;
  int is_short;
} Reader;

static const void *take(Reader *reader, size_t bytes) {
  const size_t padded = (bytes + 63) / 64 * 64;
  const void *found = reader->next;
  if ((size_t)(reader->end - reader->next) < padded) {
    reader->is_short = 1;
    return NULL;
  }
  reader->next += padded;
  return found;
}

static const float *take_floats(Reader *reader, size_t count) { return take(reader, 4 * count); }

static Product take_product(Reader *reader, int inputs, int outputs) {
  Product product = {.inputs = inputs, .outputs = outputs};
  product.weights = take(reader, (size_t)inputs * outputs);
  product.offsets = take(reader, 4 * (size_t)outputs);
  product.scales = take_floats(reader, outputs);
  product.bias = take_floats(reader, outputs);
  return product;
}

static Normalization take_normalization(Reader *reader, int columns) {
  Normalization normalization;
  normalization.gain = take_floats(reader, columns);
  normalization.offset = take_floats(reader, columns);
  return normalization;
}

static int is_known(const Header *header) {
  return memcmp(header->magic, "sbertenc", 8) == 0 && header->version == 1 && header->layers > 0 && header->heads > 0 &&
         header->hidden > 0 && header->intermediate > 0 && header->max_tokens > 0 && header->vocabulary > 0 &&
         header->hidden % PANEL == 0 && header->intermediate % PANEL == 0 &&
         header->hidden % (header->heads * 2 * LANES) == 0;
}

Encoder *encoder_open(const char *weights_path, const char *words_path, const char **problem) {
  SharedFile *weights = shared_file_open(weights_path), *words = shared_file_open(words_path);
  Encoder *e = calloc(1, sizeof *e);
  *problem = "a file cannot be read";
  if (!weights || !words || !e) goto failed;
  const Header *header = shared_file_bytes(weights);
  *problem = "the weights are of another format, or of sizes that are not known";
  if (shared_file_length(weights) < sizeof *header || !is_known(header)) goto failed;
  *problem = "a file ends before its time";
  if (shared_file_length(words) / 2 / (size_t)header->hidden < (size_t)header->vocabulary) goto failed;
  e->layers = header->layers;
  e->heads = header->heads;
  e->hidden = header->hidden;
  e->intermediate = header->intermediate;
  e->max_tokens = header->max_tokens;
  e->vocabulary = header->vocabulary;
  e->is_cls = header->is_cls;
  e->epsilon = header->epsilon;
  e->words = shared_file_bytes(words);
  e->layer = calloc((size_t)e->layers, sizeof *e->layer);
  if (!e->layer) goto failed;
  Reader reader = {.next = (const uint8_t *)(header + 1), .end = (const uint8_t *)header + shared_file_length(weights)};
  e->places = take_floats(&reader, (size_t)e->max_tokens * e->hidden);
  e->embedded = take_normalization(&reader, e->hidden);
  for (int index = 0; index < e->layers; index++) {
    Layer *layer = e->layer + index;
    layer->attention_steps = take_floats(&reader, e->hidden);
    layer->attention = take_product(&reader, e->hidden, 3 * e->hidden);
    layer->output = take_product(&reader, e->hidden, e->hidden);
    layer->attended = take_normalization(&reader, e->hidden);
    layer->inner_steps = take_floats(&reader, e->hidden);
    layer->inner = take_product(&reader, e->hidden, e->intermediate);
    layer->outer = take_product(&reader, e->intermediate, e->hidden);
    layer->fed = take_normalization(&reader, e->hidden);
  }
  if (reader.is_short) goto failed;
  e->weights_file = weights;
  e->words_file = words;
  return e;
failed:
  shared_file_close(weights);
  shared_file_close(words);
  if (e) free(e->layer);
  free(e);
  return NULL;
}

void encoder_close(Encoder *e) {
  shared_file_close(e->weights_file);
  shared_file_close(e->words_file);
  free(e->scratch.memory);
  free(e->layer);
  free(e);
}

int encoder_hidden_size(const Encoder *e) { return e->hidden; }

int encoder_max_tokens(const Encoder *e) { return e->max_tokens; }

int encoder_vocabulary(const Encoder *e) { return e->vocabulary; }
