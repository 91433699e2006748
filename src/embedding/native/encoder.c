/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/*
 * A BERT sentence encoder in 8-bit integers. All sentences of a batch are rows of one matrix, without padding; attention
 * and pooling see each sentence by itself. Layers and memory are written here once; the arithmetic is in the kernels.
 */

#include "encoder.h"

#include <stdlib.h>

#include "scratch.h"
#include "weights-file.h"

typedef struct {
  const float *attention_smoothing; /* what each input column is multiplied by before it is quantised */
  Linear attention, output;
  Normalization attention_norm;
  const float *inner_smoothing;
  Linear inner, outer;
  Normalization output_norm;
} Layer;

/* Grows with the longest batch. */
typedef struct {
  void *memory;
  int tokens;
  float *hidden, *projections, *context, *inner, *maxima, *row_scales, *keys, *scores;
  uint8_t *bytes, *inner_bytes;
} Scratch;

struct Encoder {
  const Kernels *kernels;
  int layers, heads, hidden, intermediate, max_tokens, vocabulary, is_cls;
  float epsilon;
  const uint16_t *words; /* float16 */
  const float *positions;
  Normalization embedding_norm;
  Layer *layer;
  int32_t *compensation; /* of all linear layers */
  Scratch scratch;
  WeightsFile weights_file;
  SharedFile *words_file;
};

static int reserve(Encoder *e, int tokens) {
  Scratch *s = &e->scratch;
  if (tokens <= s->tokens) return 1;
  const size_t t = (size_t)tokens, padded = (t + LANES - 1) / LANES * LANES, number = sizeof(float);
  const size_t bytes[] = {number * t * e->hidden,
                          number * t * e->hidden * 3,
                          number * t * e->hidden,
                          number * t * e->intermediate,
                          number * t * LANES,
                          number * t,
                          number * padded * 2 * (e->hidden / e->heads),
                          number * padded * MAX_QUERIES,
                          t * e->hidden,
                          t * e->intermediate};
  void *places[sizeof bytes / sizeof *bytes];
  void *memory = allocate_arrays(bytes, places, sizeof bytes / sizeof *bytes);
  if (!memory) return 0;
  free(s->memory);
  *s = (Scratch){.memory = memory,
                 .tokens = tokens,
                 .hidden = places[0],
                 .projections = places[1],
                 .context = places[2],
                 .inner = places[3],
                 .maxima = places[4],
                 .row_scales = places[5],
                 .keys = places[6],
                 .scores = places[7],
                 .bytes = places[8],
                 .inner_bytes = places[9]};
  return 1;
}

static void encode_layer(const Encoder *e, const Layer *layer, const float *next_smoothing, const int32_t *lengths,
                         int sentences, int tokens) {
  const Kernels *k = e->kernels;
  const Scratch *s = &e->scratch;
  const Destination projected = {.out = s->projections, .row_scales = s->row_scales};
  const Destination added = {.out = s->hidden, .row_scales = s->row_scales, .residual = s->hidden};
  const Destination activated = {.out = s->inner, .row_scales = s->row_scales, .maxima = s->maxima};

  k->multiply(s->bytes, tokens, &layer->attention, PLAIN, &projected);
  for (int i = 0, start = 0; i < sentences; start += lengths[i++])
    k->attend(s->projections + (size_t)start * 3 * e->hidden, lengths[i], e->heads, e->hidden, s->keys, s->scores,
              s->context + (size_t)start * e->hidden);
  k->quantize_symmetric(s->context, tokens, e->hidden, s->bytes, s->row_scales);
  k->multiply(s->bytes, tokens, &layer->output, WITH_RESIDUAL, &added);
  k->normalize(s->hidden, tokens, e->hidden, e->epsilon, &layer->attention_norm, layer->inner_smoothing, s->bytes,
               s->row_scales);
  k->multiply(s->bytes, tokens, &layer->inner, WITH_GELU, &activated);
  k->quantize_gelu(s->inner, tokens, e->intermediate, s->maxima, s->inner_bytes, s->row_scales);
  k->multiply(s->inner_bytes, tokens, &layer->outer, WITH_RESIDUAL, &added);
  k->normalize(s->hidden, tokens, e->hidden, e->epsilon, &layer->output_norm, next_smoothing, s->bytes, s->row_scales);
}

int encoder_encode(Encoder *e, const int32_t *ids, const int32_t *lengths, int sentences, int tokens, float *out) {
  if (!reserve(e, tokens)) return 0;
  const Kernels *k = e->kernels;
  const Scratch *s = &e->scratch;
  for (int i = 0, start = 0; i < sentences; start += lengths[i++])
    k->embed(e->words, e->positions, ids + start, lengths[i], e->hidden, s->hidden + (size_t)start * e->hidden);
  k->normalize(s->hidden, tokens, e->hidden, e->epsilon, &e->embedding_norm, e->layer[0].attention_smoothing, s->bytes,
               s->row_scales);
  for (int index = 0; index < e->layers; index++)
    encode_layer(e, e->layer + index, index + 1 < e->layers ? e->layer[index + 1].attention_smoothing : NULL, lengths,
                 sentences, tokens);
  for (int i = 0, start = 0; i < sentences; start += lengths[i++])
    k->pool(s->hidden + (size_t)start * e->hidden, e->is_cls ? 1 : lengths[i], e->hidden, out + (size_t)i * e->hidden);
  return 1;
}

/* compensation: room for one number a column; points behind them afterwards. */
static Linear take_linear(WeightsFile *file, int inputs, int outputs, int zero_point, const Kernels *kernels,
                          int32_t **compensation) {
  Linear linear = {.inputs = inputs, .outputs = outputs, .compensation = *compensation};
  linear.weights = take_bytes(file, (size_t)inputs * outputs);
  const int32_t *column_sums = take_bytes(file, sizeof(int32_t) * (size_t)outputs);
  linear.scales = take_floats(file, outputs);
  linear.bias = take_floats(file, outputs);
  for (int column = 0; column < outputs; column++)
    *(*compensation)++ = column_sums ? column_sums[column] * (kernels->stored_zero - zero_point) : 0;
  return linear;
}

Encoder *encoder_open(const char *weights_path, const char *words_path, const Kernels *kernels, const char **problem) {
  Encoder *e = calloc(1, sizeof *e);
  *problem = "there is no memory for it";
  if (!e) return NULL;
  if (!weights_file_open(&e->weights_file, weights_path, 0, problem)) goto failed;
  const WeightsHeader *header = e->weights_file.header;
  e->kernels = kernels;
  e->layers = header->layers;
  e->heads = header->heads;
  e->hidden = header->hidden;
  e->intermediate = header->intermediate;
  e->max_tokens = header->max_tokens;
  e->vocabulary = header->vocabulary;
  e->is_cls = header->is_cls;
  e->epsilon = header->epsilon;

  *problem = "the file of word embeddings cannot be read";
  e->words_file = shared_file_open(words_path);
  if (!e->words_file) goto failed;
  *problem = "a file ends too early";
  if (shared_file_length(e->words_file) / sizeof(uint16_t) / (size_t)e->hidden < (size_t)e->vocabulary) goto failed;
  e->words = shared_file_bytes(e->words_file);

  *problem = "there is no memory for it";
  const size_t columns = (size_t)e->layers * (5 * (size_t)e->hidden + e->intermediate);
  e->layer = calloc((size_t)e->layers, sizeof *e->layer);
  e->compensation = malloc(columns * sizeof *e->compensation);
  if (!e->layer || !e->compensation) goto failed;

  WeightsFile *file = &e->weights_file;
  int32_t *compensation = e->compensation;
  e->positions = take_floats(file, (size_t)e->max_tokens * e->hidden);
  e->embedding_norm = take_normalization(file, e->hidden);
  for (int index = 0; index < e->layers; index++) {
    Layer *layer = e->layer + index;
    layer->attention_smoothing = take_floats(file, e->hidden);
    layer->attention = take_linear(file, e->hidden, 3 * e->hidden, SYMMETRIC_ZERO_POINT, kernels, &compensation);
    layer->output = take_linear(file, e->hidden, e->hidden, SYMMETRIC_ZERO_POINT, kernels, &compensation);
    layer->attention_norm = take_normalization(file, e->hidden);
    layer->inner_smoothing = take_floats(file, e->hidden);
    layer->inner = take_linear(file, e->hidden, e->intermediate, SYMMETRIC_ZERO_POINT, kernels, &compensation);
    layer->outer = take_linear(file, e->intermediate, e->hidden, GELU_ZERO_POINT, kernels, &compensation);
    layer->output_norm = take_normalization(file, e->hidden);
  }
  *problem = "a file ends too early";
  if (!file->is_short) return e;
failed:
  encoder_close(e);
  return NULL;
}

void encoder_close(Encoder *e) {
  weights_file_close(&e->weights_file);
  shared_file_close(e->words_file);
  free(e->scratch.memory);
  free(e->compensation);
  free(e->layer);
  free(e);
}

int encoder_hidden_size(const Encoder *e) { return e->hidden; }

int encoder_max_tokens(const Encoder *e) { return e->max_tokens; }

int encoder_vocabulary(const Encoder *e) { return e->vocabulary; }
