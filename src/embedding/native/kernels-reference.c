/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/*
 * The numeric definition of the encoder, plain and slow: docs/numerics.md in C. It runs on every CPU. The other kernels
 * are tested against it, byte for byte. It is compiled without contraction: a product and a sum become one rounding only
 * where fmaf() says so.
 */

#include <math.h>
#include <string.h>

#include "kernels.h"

static int always(void) { return 1; }

/* Adds up 16 lanes: halves are added to halves. */
static float sum_of(float *lanes) {
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int lane = 0; lane < half; lane++) lanes[lane] += lanes[lane + half];
  return lanes[0];
}

static float maximum(float a, float b) { return a > b ? a : b; }

static float clamp(float x, float least, float greatest) { return x < least ? least : x > greatest ? greatest : x; }

/* Nearest integer, ties to even, of magnitudes up to 2^22: adding 1.5 * 2^23 leaves no bits for fractions. */
static float round_to_even(float x) {
  const volatile float shifted = x + 12582912.0f;
  return shifted - 12582912.0f;
}

/* 2^n for an integer n from -126 to 127. */
static float power_of_two(float n) {
  const uint32_t bits = (uint32_t)((int32_t)n + 127) << 23;
  float power;
  memcpy(&power, &bits, sizeof power);
  return power;
}

static float exponential(float x) {
  x = clamp(x, EXP_MIN, EXP_MAX);
  const float n = round_to_even(x * LOG2_E);
  float r = fmaf(-n, LN_2_HIGH, x);
  r = fmaf(-n, LN_2_LOW, r);
  float p = 1.0f / 720;
  p = fmaf(p, r, 1.0f / 120);
  p = fmaf(p, r, 1.0f / 24);
  p = fmaf(p, r, 1.0f / 6);
  p = fmaf(p, r, 0.5f);
  p = fmaf(p, r, 1.0f);
  p = fmaf(p, r, 1.0f);
  return p * power_of_two(n);
}

static float gelu(float x) {
  const float cubic = fmaf(x * x, GELU_CUBIC, GELU_LINEAR);
  return x / (1.0f + exponential(x * cubic));
}

/* float16 to float, exactly. */
static float from_half(uint16_t half) {
  const uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 1023;
  if (exponent == 0) { /* zero and subnormals: fraction * 2^-24 */
    const float magnitude = (float)fraction * (1.0f / 16777216);
    return sign ? -magnitude : magnitude;
  }
  const uint32_t bits = sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static void embed(const uint16_t *words, const float *positions, const int32_t *ids, int tokens, int columns,
                  float *out) {
  for (int t = 0; t < tokens; t++)
    for (int c = 0; c < columns; c++)
      out[(size_t)t * columns + c] =
          from_half(words[(size_t)ids[t] * columns + c]) + positions[(size_t)t * columns + c];
}

static uint8_t quantize(float value, float steps, int zero_point) {
  const float limited = clamp(value * steps, (float)-zero_point, (float)(255 - zero_point));
  return (uint8_t)((int)round_to_even(limited) + zero_point);
}

static void quantize_symmetric(const float *values, int rows, int columns, uint8_t *bytes, float *row_scales) {
  for (int row = 0; row < rows; row++) {
    const float *x = values + (size_t)row * columns;
    float greatest = 0;
    for (int c = 0; c < columns; c++) greatest = maximum(greatest, fabsf(x[c]));
    row_scales[row] = greatest / SYMMETRIC_STEPS;
    const float steps = greatest < LEAST_MAXIMUM ? 0 : SYMMETRIC_STEPS / greatest;
    for (int c = 0; c < columns; c++)
      bytes[(size_t)row * columns + c] = quantize(x[c], steps, SYMMETRIC_ZERO_POINT);
  }
}

static void quantize_gelu(const float *values, int rows, int columns, const float *maxima, uint8_t *bytes,
                          float *row_scales) {
  for (int row = 0; row < rows; row++) {
    float greatest = GELU_LEAST * GELU_STEPS / GELU_ZERO_POINT; /* so that GELU's least value is not below step 0 */
    for (int lane = 0; lane < LANES; lane++) greatest = maximum(greatest, maxima[(size_t)row * LANES + lane]);
    row_scales[row] = greatest / GELU_STEPS;
    const float steps = GELU_STEPS / greatest;
    for (int c = 0; c < columns; c++) {
      const size_t place = (size_t)row * columns + c;
      bytes[place] = quantize(values[place], steps, GELU_ZERO_POINT);
    }
  }
}

static void normalize(float *values, int rows, int columns, float epsilon, const Normalization *by,
                      const float *smoothing, uint8_t *bytes, float *row_scales) {
  for (int row = 0; row < rows; row++) {
    float *x = values + (size_t)row * columns;
    float sums[LANES] = {0}, squares[LANES] = {0};
    for (int c = 0; c < columns; c++) sums[c % LANES] += x[c];
    const float mean = sum_of(sums) / (float)columns;
    for (int c = 0; c < columns; c++) squares[c % LANES] = fmaf(x[c] - mean, x[c] - mean, squares[c % LANES]);
    const float factor = 1.0f / sqrtf(sum_of(squares) / (float)columns + epsilon);
    for (int c = 0; c < columns; c++) x[c] = fmaf((x[c] - mean) * factor, by->gain[c], by->offset[c]);
    if (!smoothing) continue;
    float greatest = 0;
    for (int c = 0; c < columns; c++) greatest = maximum(greatest, fabsf(x[c] * smoothing[c]));
    row_scales[row] = greatest / SYMMETRIC_STEPS;
    const float steps = greatest < LEAST_MAXIMUM ? 0 : SYMMETRIC_STEPS / greatest;
    for (int c = 0; c < columns; c++)
      bytes[(size_t)row * columns + c] = quantize(x[c] * smoothing[c], steps, SYMMETRIC_ZERO_POINT);
  }
}

/* The part of a linear layer that is the same in integers and in floats. */
static void finish(float value, int row, int column, int outputs, Epilogue epilogue, const Destination *to) {
  const size_t place = (size_t)row * outputs + column;
  if (epilogue == WITH_RESIDUAL) value += to->residual[place];
  if (epilogue == WITH_GELU) {
    value = gelu(value);
    if (to->maxima) {
      float *greatest = to->maxima + (size_t)row * LANES + column % LANES;
      *greatest = maximum(column < LANES ? 0 : *greatest, value);
    }
  }
  to->out[place] = value;
}

/* Integer sums of one row and the 16 columns of a panel. */
static void add_products(const uint8_t *x, const int8_t *panel, int depth, int32_t *sums) {
  for (int k = 0; k < depth; k += GROUP, x += GROUP)
    for (int column = 0; column < LANES; column++, panel += GROUP)
      for (int i = 0; i < GROUP; i++) sums[column] += x[i] * panel[i];
}

static void multiply(const uint8_t *inputs, int rows, const Linear *linear, Epilogue epilogue, const Destination *to) {
  const int depth = linear->inputs;
  for (int first = 0; first < linear->outputs; first += LANES)
    for (int row = 0; row < rows; row++) {
      int32_t sums[LANES];
      memcpy(sums, linear->compensation + first, sizeof sums);
      add_products(inputs + (size_t)row * depth, linear->weights + (size_t)first * depth, depth, sums);
      for (int column = first; column < first + LANES; column++) {
        const float scaled = (float)sums[column - first] * linear->scales[column];
        const float value = fmaf(scaled, to->row_scales[row], linear->bias[column]);
        finish(value, row, column, linear->outputs, epilogue, to);
      }
    }
}

static void multiply_floats(const float *inputs, int rows, const FloatLinear *linear, Epilogue epilogue,
                            const Destination *to) {
  for (int row = 0; row < rows; row++)
    for (int column = 0; column < linear->outputs; column++) {
      const float *x = inputs + (size_t)row * linear->inputs;
      const float *w = linear->weights + (size_t)(column / LANES) * LANES * linear->inputs + column % LANES;
      float sum = 0;
      for (int k = 0; k < linear->inputs; k++) sum = fmaf(x[k], w[k * LANES], sum);
      finish(sum + linear->bias[column], row, column, linear->outputs, epilogue, to);
    }
}

static void attend_query(const float *query, const float *keys, const float *values, int tokens, int head,
                         size_t stride, float *scores, float *context) {
  float greatest = -INFINITY, totals[LANES] = {0};
  for (int j = 0; j < tokens; j++) {
    scores[j] = 0;
    for (int d = 0; d < head; d++) scores[j] = fmaf(query[d], keys[j * stride + d], scores[j]);
    greatest = maximum(greatest, scores[j]);
  }
  for (int j = 0; j < tokens; j++) {
    scores[j] = exponential(scores[j] - greatest);
    totals[j % LANES] += scores[j];
  }
  const float share = 1.0f / sum_of(totals);
  for (int d = 0; d < head; d++) {
    float sum = 0;
    for (int j = 0; j < tokens; j++) sum = fmaf(scores[j], values[j * stride + d], sum);
    context[d] = sum * share;
  }
}

static void attend(const float *projections, int tokens, int heads, int hidden, float *keys, float *scores,
                   float *context) {
  (void)keys; /* is read where it lies */
  const int head = hidden / heads;
  const size_t stride = 3 * (size_t)hidden;
  for (int h = 0; h < heads; h++) {
    const float *queries = projections + h * head;
    for (int i = 0; i < tokens; i++)
      attend_query(queries + i * stride, queries + hidden, queries + 2 * hidden, tokens, head, stride, scores,
                   context + (size_t)i * hidden + h * head);
  }
}

static void pool(const float *values, int rows, int columns, float *out) {
  float squares[LANES] = {0};
  for (int c = 0; c < columns; c++) {
    out[c] = values[c];
    for (int row = 1; row < rows; row++) out[c] += values[(size_t)row * columns + c];
    squares[c % LANES] = fmaf(out[c], out[c], squares[c % LANES]);
  }
  const float norm = sqrtf(sum_of(squares));
  for (int c = 0; c < columns; c++) out[c] /= norm;
}

const Kernels kernels_reference = {
    .name = "reference",
    .is_supported = always,
    .stored_zero = 0,
    .embed = embed,
    .normalize = normalize,
    .quantize_symmetric = quantize_symmetric,
    .quantize_gelu = quantize_gelu,
    .multiply = multiply,
    .multiply_floats = multiply_floats,
    .attend = attend,
    .pool = pool,
};
