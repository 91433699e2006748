/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/*
 * The kernels of a CPU, written once for all whose registers are told by a header of lanes. The file that includes this
 * has defined, besides the lanes and their STORED_ZERO (128 where products take signed bytes, else 0):
 *   TILE_ROWS, TILE_VECTORS   rows, and vectors of 16 columns, of a tile of integer sums
 *   add_products(rows, …)     the integer sums of a tile; or HAS_OWN_MULTIPLY, and multiply_with() after this header
 *   QUERIES                   queries that attention computes side by side, at least 4
 *   KEY_VECTORS, CONTEXT_VECTORS  vectors of keys, and of a head, that it computes side by side
 * No row's result depends on the rows beside it.
 */

#include <math.h>
#include <stddef.h>

#define INLINE static inline __attribute__((always_inline))

INLINE Lanes exponential(Lanes x) {
  x = lanes_min(lanes_max(x, lanes_set(EXP_MIN)), lanes_set(EXP_MAX));
  const Lanes n = lanes_round(lanes_mul(x, lanes_set(LOG2_E)));
  Lanes r = lanes_fnma(n, lanes_set(LN_2_HIGH), x);
  r = lanes_fnma(n, lanes_set(LN_2_LOW), r);
  Lanes p = lanes_set(1.0f / 720);
  p = lanes_fma(p, r, lanes_set(1.0f / 120));
  p = lanes_fma(p, r, lanes_set(1.0f / 24));
  p = lanes_fma(p, r, lanes_set(1.0f / 6));
  p = lanes_fma(p, r, lanes_set(0.5f));
  p = lanes_fma(p, r, lanes_set(1.0f));
  p = lanes_fma(p, r, lanes_set(1.0f));
  return lanes_scale(p, n);
}

INLINE Lanes gelu(Lanes x) {
  const Lanes cubic = lanes_fma(lanes_mul(x, x), lanes_set(GELU_CUBIC), lanes_set(GELU_LINEAR));
  return lanes_div(x, lanes_add(lanes_set(1.0f), exponential(lanes_mul(x, cubic))));
}

static void embed(const uint16_t *words, const float *positions, const int32_t *ids, int tokens, int columns,
                  float *out) {
  for (int t = 0; t < tokens; t++, positions += columns, out += columns)
    for (int c = 0; c < columns; c += LANES)
      lanes_store(out + c,
                  lanes_add(lanes_from_halves(words + (size_t)ids[t] * columns + c), lanes_load(positions + c)));
}

/* Unrolled early, so that arrays of sums become registers: else gcc keeps copies in memory. Measured with 256 tokens and
 * AVX-512: 1.06 times as fast. */
#define FOR_EACH(index, count) _Pragma("GCC unroll 8") for (int index = 0; index < (count); index++)

INLINE void store_bytes(uint8_t *bytes, Lanes steps, int zero_point) {
  const Lanes limited =
      lanes_min(lanes_max(steps, lanes_set((float)-zero_point)), lanes_set((float)(255 - zero_point)));
  lanes_store_bytes(bytes, limited, zero_point - STORED_ZERO);
}

/* Bytes of a row by its greatest magnitude. smoothing: NULL for none. */
INLINE void quantize_row(const float *x, int columns, const float *smoothing, float greatest, uint8_t *bytes,
                         float *row_scale) {
  *row_scale = greatest / SYMMETRIC_STEPS;
  const Lanes steps = lanes_set(greatest < LEAST_MAXIMUM ? 0 : SYMMETRIC_STEPS / greatest);
  for (int c = 0; c < columns; c += LANES) {
    Lanes value = lanes_load(x + c);
    if (smoothing) value = lanes_mul(value, lanes_load(smoothing + c));
    store_bytes(bytes + c, lanes_mul(value, steps), SYMMETRIC_ZERO_POINT);
  }
}

#define NORMALIZED_ROWS 2

/* Some rows: a sum has to wait for the one before it, but not for those of other rows. */
INLINE void normalize_some(float *values, int row, const int rows, int columns, float epsilon, const Normalization *by,
                           const float *smoothing, uint8_t *bytes, float *row_scales) {
  float *some = values + (size_t)row * columns;
  Lanes sums[NORMALIZED_ROWS], squares[NORMALIZED_ROWS], greatest[NORMALIZED_ROWS];
  Lanes mean[NORMALIZED_ROWS], factor[NORMALIZED_ROWS];
  FOR_EACH(r, rows) sums[r] = squares[r] = greatest[r] = lanes_set(0);
  for (int c = 0; c < columns; c += LANES)
    FOR_EACH(r, rows) sums[r] = lanes_add(sums[r], lanes_load(some + (size_t)r * columns + c));
  FOR_EACH(r, rows) mean[r] = lanes_set(lanes_sum(sums[r]) / (float)columns);
  for (int c = 0; c < columns; c += LANES)
    FOR_EACH(r, rows) {
      const Lanes d = lanes_sub(lanes_load(some + (size_t)r * columns + c), mean[r]);
      squares[r] = lanes_fma(d, d, squares[r]);
    }
  FOR_EACH(r, rows) factor[r] = lanes_set(1.0f / sqrtf(lanes_sum(squares[r]) / (float)columns + epsilon));
  for (int c = 0; c < columns; c += LANES) {
    const Lanes gain = lanes_load(by->gain + c), offset = lanes_load(by->offset + c);
    FOR_EACH(r, rows) {
      float *x = some + (size_t)r * columns + c;
      const Lanes y = lanes_fma(lanes_mul(lanes_sub(lanes_load(x), mean[r]), factor[r]), gain, offset);
      lanes_store(x, y);
      if (smoothing) greatest[r] = lanes_max(greatest[r], lanes_abs(lanes_mul(y, lanes_load(smoothing + c))));
    }
  }
  if (!smoothing) return;
  FOR_EACH(r, rows)
    quantize_row(some + (size_t)r * columns, columns, smoothing, lanes_greatest(greatest[r]),
                 bytes + (size_t)(row + r) * columns, row_scales + row + r);
}

static void normalize(float *values, int rows, int columns, float epsilon, const Normalization *by,
                      const float *smoothing, uint8_t *bytes, float *row_scales) {
  int row = 0;
  for (; row + NORMALIZED_ROWS <= rows; row += NORMALIZED_ROWS)
    normalize_some(values, row, NORMALIZED_ROWS, columns, epsilon, by, smoothing, bytes, row_scales);
  for (; row < rows; row++) normalize_some(values, row, 1, columns, epsilon, by, smoothing, bytes, row_scales);
}

static void quantize_symmetric(const float *values, int rows, int columns, uint8_t *bytes, float *row_scales) {
  for (int row = 0; row < rows; row++) {
    const float *x = values + (size_t)row * columns;
    Lanes greatest = lanes_set(0);
    for (int c = 0; c < columns; c += LANES) greatest = lanes_max(greatest, lanes_abs(lanes_load(x + c)));
    quantize_row(x, columns, NULL, lanes_greatest(greatest), bytes + (size_t)row * columns, row_scales + row);
  }
}

static void quantize_gelu(const float *values, int rows, int columns, const float *maxima, uint8_t *bytes,
                          float *row_scales) {
  const float least = GELU_LEAST * GELU_STEPS / GELU_ZERO_POINT;
  for (int row = 0; row < rows; row++) {
    const float found = lanes_greatest(lanes_load(maxima + (size_t)row * LANES));
    const float greatest = found > least ? found : least;
    row_scales[row] = greatest / GELU_STEPS;
    const Lanes steps = lanes_set(GELU_STEPS / greatest);
    for (int c = 0; c < columns; c += LANES) {
      const size_t place = (size_t)row * columns + c;
      store_bytes(bytes + place, lanes_mul(lanes_load(values + place), steps), GELU_ZERO_POINT);
    }
  }
}

/* The part of a linear layer that is the same in integers and in floats. greatest: NULL where it is not asked for. */
INLINE void finish(Lanes value, size_t place, const Epilogue epilogue, const Destination *to, Lanes *greatest) {
  if (epilogue == WITH_RESIDUAL) value = lanes_add(value, lanes_load(to->residual + place));
  if (epilogue == WITH_GELU) {
    value = gelu(value);
    if (greatest) *greatest = lanes_max(*greatest, value);
  }
  lanes_store(to->out + place, value);
}

/* Makes floats of the integer sums of a tile. */
INLINE void finish_tile(const int32_t *sums, const Linear *linear, int column, int row, int rows,
                        const Epilogue epilogue, const Destination *to) {
  for (int r = 0; r < rows; r++) {
    const size_t place = (size_t)(row + r) * linear->outputs + column;
    const Lanes row_scale = lanes_set(to->row_scales[row + r]);
    Lanes greatest = lanes_set(0);
    if (epilogue == WITH_GELU && column > 0) greatest = lanes_load(to->maxima + (size_t)(row + r) * LANES);
    for (int v = 0; v < TILE_VECTORS; v++) {
      const Lanes sum = lanes_from_integers(sums + (r * TILE_VECTORS + v) * LANES);
      const Lanes scaled = lanes_mul(sum, lanes_load(linear->scales + column + v * LANES));
      const Lanes value = lanes_fma(scaled, row_scale, lanes_load(linear->bias + column + v * LANES));
      finish(value, place + v * LANES, epilogue, to, &greatest);
    }
    if (epilogue == WITH_GELU) lanes_store(to->maxima + (size_t)(row + r) * LANES, greatest);
  }
}

#ifdef HAS_OWN_MULTIPLY

INLINE void multiply_with(const uint8_t *inputs, int rows, const Linear *linear, const Epilogue epilogue,
                          const Destination *to);

#else

/* Rows are dealt out evenly, TILE_ROWS or fewer at a time, while the weights of a tile stay in the nearest cache. */
INLINE void multiply_with(const uint8_t *inputs, int rows, const Linear *linear, const Epilogue epilogue,
                          const Destination *to) {
  _Alignas(64) int32_t sums[TILE_ROWS * TILE_VECTORS * LANES];
  const int blocks = (rows + TILE_ROWS - 1) / TILE_ROWS, depth = linear->inputs;
  for (int column = 0; column < linear->outputs; column += TILE_VECTORS * LANES) {
    int row = 0;
    for (int block = 0; block < blocks; block++) {
      const int end = (int)((int64_t)rows * (block + 1) / blocks);
      add_products(end - row, inputs + (size_t)row * depth, linear->weights + (size_t)column * depth,
                   linear->compensation + column, depth, sums);
      finish_tile(sums, linear, column, row, end - row, epilogue, to);
      row = end;
    }
  }
}

#endif

static void multiply(const uint8_t *inputs, int rows, const Linear *linear, Epilogue epilogue, const Destination *to) {
  if (epilogue == PLAIN) multiply_with(inputs, rows, linear, PLAIN, to);
  else if (epilogue == WITH_GELU) multiply_with(inputs, rows, linear, WITH_GELU, to);
  else multiply_with(inputs, rows, linear, WITH_RESIDUAL, to);
}

#define FLOAT_ROWS 4

INLINE void multiply_some_floats(const float *inputs, int row, const int rows, const FloatLinear *linear, int column,
                                 Epilogue epilogue, const Destination *to) {
  const float *weights = linear->weights + (size_t)column * linear->inputs;
  Lanes sums[FLOAT_ROWS];
  for (int r = 0; r < rows; r++) sums[r] = lanes_set(0);
  for (int k = 0; k < linear->inputs; k++, weights += LANES) {
    const Lanes some = lanes_load(weights);
    for (int r = 0; r < rows; r++)
      sums[r] = lanes_fma(lanes_set(inputs[(size_t)(row + r) * linear->inputs + k]), some, sums[r]);
  }
  for (int r = 0; r < rows; r++)
    finish(lanes_add(sums[r], lanes_load(linear->bias + column)), (size_t)(row + r) * linear->outputs + column,
           epilogue, to, NULL);
}

static void multiply_floats(const float *inputs, int rows, const FloatLinear *linear, Epilogue epilogue,
                            const Destination *to) {
  for (int column = 0; column < linear->outputs; column += LANES) {
    int row = 0;
    for (; row + FLOAT_ROWS <= rows; row += FLOAT_ROWS)
      multiply_some_floats(inputs, row, FLOAT_ROWS, linear, column, epilogue, to);
    for (; row < rows; row++) multiply_some_floats(inputs, row, 1, linear, column, epilogue, to);
  }
}

/* Scores of some queries and of `vectors` x LANES keys from key j on; those of keys that are not there are -infinity. */
INLINE void score_keys(const float *queries, size_t stride, const float *keys, int padded, int tokens, int head, int j,
                       float *scores, Lanes *greatest, const int count, const int vectors) {
  Lanes sums[QUERIES][KEY_VECTORS];
  FOR_EACH(q, count)
    FOR_EACH(v, vectors) sums[q][v] = lanes_set(0);
  for (int d = 0; d < head; d++) {
    Lanes column[KEY_VECTORS];
    FOR_EACH(v, vectors) column[v] = lanes_load(keys + (size_t)d * padded + j + v * LANES);
    FOR_EACH(q, count) {
      const Lanes query = lanes_set(queries[q * stride + d]);
      FOR_EACH(v, vectors) sums[q][v] = lanes_fma(query, column[v], sums[q][v]);
    }
  }
  FOR_EACH(q, count)
    FOR_EACH(v, vectors) {
      const int first = j + v * LANES;
      const Lanes score = lanes_first(sums[q][v], tokens - first, -INFINITY);
      greatest[q] = lanes_max(greatest[q], score);
      lanes_store(scores + (size_t)q * padded + first, score);
    }
}

/* Some queries of one head. keys: head size x padded tokens; values: tokens x head size. */
INLINE void attend_some(const float *queries, size_t stride, const float *keys, int padded, int tokens,
                        const float *values, int head, float *scores, float *out, size_t out_stride, const int count) {
  Lanes greatest[QUERIES], total[QUERIES];
  FOR_EACH(q, count) greatest[q] = lanes_set(-INFINITY);
  int scored = 0;
  for (; scored + KEY_VECTORS * LANES <= padded; scored += KEY_VECTORS * LANES)
    score_keys(queries, stride, keys, padded, tokens, head, scored, scores, greatest, count, KEY_VECTORS);
  for (; scored < padded; scored += LANES)
    score_keys(queries, stride, keys, padded, tokens, head, scored, scores, greatest, count, 1);
  FOR_EACH(q, count) {
    const Lanes maximum = lanes_set(lanes_greatest(greatest[q]));
    total[q] = lanes_set(0);
    for (int j = 0; j < padded; j += LANES) {
      const Lanes score = lanes_load(scores + (size_t)q * padded + j);
      const Lanes weight = lanes_first(exponential(lanes_sub(score, maximum)), tokens - j, 0);
      total[q] = lanes_add(total[q], weight);
      lanes_store(scores + (size_t)q * padded + j, weight);
    }
  }
  float shares[QUERIES];
  FOR_EACH(q, count) shares[q] = 1.0f / lanes_sum(total[q]);
  for (int d = 0; d < head; d += CONTEXT_VECTORS * LANES) {
    Lanes sums[QUERIES][CONTEXT_VECTORS];
    FOR_EACH(q, count)
      FOR_EACH(v, CONTEXT_VECTORS) sums[q][v] = lanes_set(0);
    for (int j = 0; j < tokens; j++) {
      Lanes value[CONTEXT_VECTORS];
      FOR_EACH(v, CONTEXT_VECTORS) value[v] = lanes_load(values + (size_t)j * head + d + v * LANES);
      FOR_EACH(q, count) {
        const Lanes weight = lanes_set(scores[(size_t)q * padded + j]);
        FOR_EACH(v, CONTEXT_VECTORS) sums[q][v] = lanes_fma(weight, value[v], sums[q][v]);
      }
    }
    FOR_EACH(q, count)
      FOR_EACH(v, CONTEXT_VECTORS)
        lanes_store(out + q * out_stride + d + v * LANES, lanes_mul(sums[q][v], lanes_set(shares[q])));
  }
}

#define ATTEND(count)                                                                                                  \
  for (; i + count <= tokens; i += count)                                                                              \
  attend_some(queries + i * stride, stride, keys, padded, tokens, values, head, scores,                                \
              context + (size_t)i * hidden + h * head, hidden, count)

static void attend(const float *projections, int tokens, int heads, int hidden, float *keys, float *scores,
                   float *context) {
  const int head = hidden / heads, padded = (tokens + LANES - 1) / LANES * LANES;
  const size_t stride = 3 * (size_t)hidden;
  /* A copy: rows as far apart as those of the projections share few sets of the nearest cache, which then keeps not all
   * of a long sentence. Measured with 256 tokens: 1.03 to 1.1 times as fast. */
  float *values = keys + (size_t)head * padded;
  for (int h = 0; h < heads; h++) {
    const float *queries = projections + h * head;
    for (int j = 0; j < padded; j += LANES)
      for (int d = 0; d < head; d += LANES)
        lanes_transpose(queries + hidden + (size_t)j * stride + d, stride, tokens - j, keys + (size_t)d * padded + j,
                        padded);
    for (int j = 0; j < tokens; j++)
      for (int d = 0; d < head; d += LANES)
        lanes_store(values + (size_t)j * head + d, lanes_load(queries + 2 * hidden + (size_t)j * stride + d));
    int i = 0;
    ATTEND(QUERIES);
    ATTEND(2);
    ATTEND(1);
  }
}

static void pool(const float *values, int rows, int columns, float *out) {
  Lanes squares = lanes_set(0);
  for (int c = 0; c < columns; c += LANES) {
    Lanes sum = lanes_load(values + c);
    for (int row = 1; row < rows; row++) sum = lanes_add(sum, lanes_load(values + (size_t)row * columns + c));
    squares = lanes_fma(sum, sum, squares);
    lanes_store(out + c, sum);
  }
  const Lanes norm = lanes_set(sqrtf(lanes_sum(squares)));
  for (int c = 0; c < columns; c += LANES) lanes_store(out + c, lanes_div(lanes_load(out + c), norm));
}

#define KERNELS_OF_LANES(kernels_name, supported)                                                                      \
  {                                                                                                                    \
    .name = kernels_name, .is_supported = supported, .stored_zero = STORED_ZERO, .embed = embed,                       \
    .normalize = normalize, .quantize_symmetric = quantize_symmetric, .quantize_gelu = quantize_gelu,                  \
    .multiply = multiply, .multiply_floats = multiply_floats, .attend = attend, .pool = pool                           \
  }
