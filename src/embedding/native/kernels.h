/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

#ifndef SBERT_KERNELS_H
#define SBERT_KERNELS_H

#include <stdint.h>

/*
 * The arithmetic of the encoder, as a table of functions: one table for each kind of CPU. All tables compute the same
 * bytes. docs/numerics.md states what they compute; kernels-reference.c is that definition as a program.
 */

/* Lanes of every sum of floats, whatever the registers of the CPU hold. */
#define LANES 16
/* Neighbouring inputs of a column that lie together in the packed weights. */
#define GROUP 4
/* Sizes of a model have to be multiples of this. */
#define SIZE_MULTIPLE 64
/* Attention computes at most this many queries side by side. */
#define MAX_QUERIES 8

#define SYMMETRIC_ZERO_POINT 128
#define SYMMETRIC_STEPS 127.0f
/* A row whose greatest magnitude is below this is quantised to zeros: the reciprocal of its step would overflow. */
#define LEAST_MAXIMUM 1e-30f
#define GELU_ZERO_POINT 24
#define GELU_STEPS 231.0f
/* Magnitude of the least value of GELU, rounded up. */
#define GELU_LEAST 0.17f

/* exp(x) is 2^n * e^r, n = round(x / ln 2), |r| <= ln 2 / 2; ln 2 in two parts, e^r by Taylor's polynomial of degree 6. */
#define EXP_MIN -86.0f
#define EXP_MAX 87.0f
#define LOG2_E 1.44269504f
#define LN_2_HIGH 0.693359375f
#define LN_2_LOW -2.12194440e-4f

/* GELU in its tanh form is x / (1 + exp(x * (GELU_CUBIC * x * x + GELU_LINEAR))). */
#define GELU_LINEAR (-2 * 0.7978845608f)
#define GELU_CUBIC (-2 * 0.7978845608f * 0.044715f)

/* A linear layer in 8-bit integers. */
typedef struct {
  /* Panels of 16 columns; a panel is inputs / 4 times 16 columns of 4 neighbouring inputs. */
  const int8_t *weights;
  /* What the sum of (byte as the kernels store it) x weight lacks to be the sum of quantised input x weight. */
  const int32_t *compensation;
  const float *scales; /* one for each column */
  const float *bias;
  int inputs, outputs;
} Linear;

/* The same layer in floats. */
typedef struct {
  const float *weights; /* panels of 16 columns; a panel is inputs x 16, row-major */
  const float *bias;
  int inputs, outputs;
} FloatLinear;

typedef struct {
  const float *gain, *offset;
} Normalization;

typedef enum { PLAIN, WITH_GELU, WITH_RESIDUAL } Epilogue;

typedef struct {
  float *out;
  const float *row_scales; /* of the inputs, one for each row */
  const float *residual;   /* WITH_RESIDUAL: rows x outputs; may be `out` */
  float *maxima;           /* WITH_GELU: LANES for each row, the greatest values of each lane, at least 0 */
} Destination;

typedef struct {
  const char *name;
  /* Whether this CPU has the instructions. */
  int (*is_supported)(void);
  /* What the kernels subtract from a quantised byte before they store it: 128 where products take signed bytes. */
  int stored_zero;
  /* Word embeddings (float16) plus position embeddings of the tokens of one sentence. */
  void (*embed)(const uint16_t *words, const float *positions, const int32_t *ids, int tokens, int columns, float *out);
  /* Normalises rows in place. With `smoothing`, also multiplies by it and quantises, each row by a scale of its own. */
  void (*normalize)(float *values, int rows, int columns, float epsilon, const Normalization *by,
                    const float *smoothing, uint8_t *bytes, float *row_scales);
  void (*quantize_symmetric)(const float *values, int rows, int columns, uint8_t *bytes, float *row_scales);
  /* Quantises what GELU gave; `maxima` as the linear layer left them. */
  void (*quantize_gelu)(const float *values, int rows, int columns, const float *maxima, uint8_t *bytes,
                        float *row_scales);
  /* inputs: rows x linear->inputs bytes. */
  void (*multiply)(const uint8_t *inputs, int rows, const Linear *linear, Epilogue epilogue, const Destination *to);
  /* In floats, for calibration; the same epilogues, without maxima and row scales. */
  void (*multiply_floats)(const float *inputs, int rows, const FloatLinear *linear, Epilogue epilogue,
                          const Destination *to);
  /* Attention of one sentence. projections: tokens x 3 hidden sizes (queries, keys, values); context: tokens x hidden.
   * keys: room for 2 x head size x padded tokens; scores: room for MAX_QUERIES x padded tokens. */
  void (*attend)(const float *projections, int tokens, int heads, int hidden, float *keys, float *scores,
                 float *context);
  /* Sum of some rows, divided by its L2 norm. */
  void (*pool)(const float *values, int rows, int columns, float *out);
} Kernels;

extern const Kernels kernels_reference;
#if defined(__x86_64__)
extern const Kernels kernels_avx2, kernels_avx_vnni, kernels_avx512_vnni, kernels_amx_int8;
#elif defined(__aarch64__)
extern const Kernels kernels_neon, kernels_neon_dotprod, kernels_neon_i8mm;
#endif

/* All tables of this architecture, the fastest first; NULL at the end. */
extern const Kernels *const all_kernels[];

/* The fastest table that this CPU has the instructions for, or the one of that name; NULL when there is none. */
const Kernels *find_kernels(const char *name);

#endif
