/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

#include "float-encoder.h"

#include <math.h>
#include <stdlib.h>

#include "scratch.h"
#include "weights-file.h"

typedef struct {
  FloatLinear attention, output;
  Normalization attention_norm;
  FloatLinear inner, outer;
  Normalization output_norm;
} FloatLayer;

typedef struct {
  void *memory;
  int tokens;
  float *hidden, *projections, *context, *inner, *keys, *scores;
} FloatScratch;

struct FloatEncoder {
  const Kernels *kernels;
  const WeightsHeader *header;
  const float *words, *positions;
  Normalization embedding_norm;
  FloatLayer *layer;
  FloatScratch scratch;
  WeightsFile weights_file;
};

static int reserve(FloatEncoder *e, int tokens) {
  FloatScratch *s = &e->scratch;
  if (tokens <= s->tokens) return 1;
  const size_t t = (size_t)tokens, padded = (t + LANES - 1) / LANES * LANES, number = sizeof(float);
  const size_t hidden = e->header->hidden;
  const size_t bytes[] = {number * t * hidden,
                          number * t * hidden * 3,
                          number * t * hidden,
                          number * t * e->header->intermediate,
                          number * padded * 2 * (hidden / e->header->heads),
                          number * padded * MAX_QUERIES};
  void *places[sizeof bytes / sizeof *bytes];
  void *memory = allocate_arrays(bytes, places, sizeof bytes / sizeof *bytes);
  if (!memory) return 0;
  free(s->memory);
  *s = (FloatScratch){.memory = memory,
                      .tokens = tokens,
                      .hidden = places[0],
                      .projections = places[1],
                      .context = places[2],
                      .inner = places[3],
                      .keys = places[4],
                      .scores = places[5]};
  return 1;
}

static void observe(const float *values, int rows, int columns, float **maxima) {
  if (!*maxima) return;
  for (int row = 0; row < rows; row++)
    for (int c = 0; c < columns; c++) {
      const float magnitude = fabsf(values[(size_t)row * columns + c]);
      if (magnitude > (*maxima)[c]) (*maxima)[c] = magnitude;
    }
  *maxima += columns;
}

int float_encoder_encode(FloatEncoder *e, const int32_t *ids, int tokens, float *out, float *maxima) {
  if (!reserve(e, tokens)) return 0;
  const Kernels *k = e->kernels;
  const FloatScratch *s = &e->scratch;
  const int hidden = e->header->hidden;
  const float epsilon = e->header->epsilon;
  const Destination projected = {.out = s->projections};
  const Destination added = {.out = s->hidden, .residual = s->hidden};
  const Destination activated = {.out = s->inner};
  for (int t = 0; t < tokens; t++)
    for (int c = 0; c < hidden; c++)
      s->hidden[(size_t)t * hidden + c] = e->words[(size_t)ids[t] * hidden + c] + e->positions[(size_t)t * hidden + c];
  k->normalize(s->hidden, tokens, hidden, epsilon, &e->embedding_norm, NULL, NULL, NULL);
  for (const FloatLayer *layer = e->layer; layer < e->layer + e->header->layers; layer++) {
    observe(s->hidden, tokens, hidden, &maxima);
    k->multiply_floats(s->hidden, tokens, &layer->attention, PLAIN, &projected);
    k->attend(s->projections, tokens, e->header->heads, hidden, s->keys, s->scores, s->context);
    observe(s->context, tokens, hidden, &maxima);
    k->multiply_floats(s->context, tokens, &layer->output, WITH_RESIDUAL, &added);
    k->normalize(s->hidden, tokens, hidden, epsilon, &layer->attention_norm, NULL, NULL, NULL);
    observe(s->hidden, tokens, hidden, &maxima);
    k->multiply_floats(s->hidden, tokens, &layer->inner, WITH_GELU, &activated);
    k->multiply_floats(s->inner, tokens, &layer->outer, WITH_RESIDUAL, &added);
    k->normalize(s->hidden, tokens, hidden, epsilon, &layer->output_norm, NULL, NULL, NULL);
  }
  k->pool(s->hidden, e->header->is_cls ? 1 : tokens, hidden, out);
  return 1;
}

static FloatLinear take_linear(WeightsFile *file, int inputs, int outputs) {
  FloatLinear linear = {.inputs = inputs, .outputs = outputs};
  linear.weights = take_floats(file, (size_t)inputs * outputs);
  linear.bias = take_floats(file, outputs);
  return linear;
}

FloatEncoder *float_encoder_open(const char *weights_path, const Kernels *kernels, const char **problem) {
  FloatEncoder *e = calloc(1, sizeof *e);
  *problem = "there is no memory for it";
  if (!e) return NULL;
  if (!weights_file_open(&e->weights_file, weights_path, 1, problem)) goto failed;
  e->header = e->weights_file.header;
  e->kernels = kernels;
  const int hidden = e->header->hidden, intermediate = e->header->intermediate;
  *problem = "there is no memory for it";
  e->layer = calloc((size_t)e->header->layers, sizeof *e->layer);
  if (!e->layer) goto failed;

  WeightsFile *file = &e->weights_file;
  e->words = take_floats(file, (size_t)e->header->vocabulary * hidden);
  e->positions = take_floats(file, (size_t)e->header->max_tokens * hidden);
  e->embedding_norm = take_normalization(file, hidden);
  for (FloatLayer *layer = e->layer; layer < e->layer + e->header->layers; layer++) {
    layer->attention = take_linear(file, hidden, 3 * hidden);
    layer->output = take_linear(file, hidden, hidden);
    layer->attention_norm = take_normalization(file, hidden);
    layer->inner = take_linear(file, hidden, intermediate);
    layer->outer = take_linear(file, intermediate, hidden);
    layer->output_norm = take_normalization(file, hidden);
  }
  *problem = "a file ends too early";
  if (!file->is_short) return e;
failed:
  float_encoder_close(e);
  return NULL;
}

void float_encoder_close(FloatEncoder *e) {
  weights_file_close(&e->weights_file);
  free(e->scratch.memory);
  free(e->layer);
  free(e);
}

int float_encoder_hidden_size(const FloatEncoder *e) { return e->header->hidden; }

int float_encoder_max_tokens(const FloatEncoder *e) { return e->header->max_tokens; }

int float_encoder_vocabulary(const FloatEncoder *e) { return e->header->vocabulary; }

int float_encoder_input_columns(const FloatEncoder *e) { return 3 * e->header->hidden * e->header->layers; }
