/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/*
 * Compares kernels with the numeric definition, kernels-reference.c, byte for byte.
 *
 *   check-kernels                                        functions of all kernels that this CPU can run, all shapes
 *   check-kernels KERNEL                                 of one; status 77 when this CPU cannot run it
 *   check-kernels KERNEL --can-run                       that status alone
 *   check-kernels KERNEL WEIGHTS WORDS TEXTS EMBEDDINGS  whole sentences: writes the embeddings of TEXTS, a file of
 *                                                        int32 (length, then ids, of each), encoded in batches
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encoder.h"
#include "kernels.h"

#define CANNOT_RUN 77
#define MAX_ROWS 257
#define MAX_COLUMNS 1536

static long comparisons, differences;

static uint64_t state = 88172645463325252u;

static uint32_t next_random(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 32);
}

/* A random number from -1 to 1. */
static float next_float(void) { return (float)(int32_t)next_random() * (1.0f / 2147483648.0f); }

static void *allocate(size_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (!memory) abort();
  memset(memory, 0, (bytes + 63) / 64 * 64);
  return memory;
}

static float *random_floats(size_t count, float magnitude) {
  float *values = allocate(count * sizeof *values);
  for (size_t i = 0; i < count; i++) values[i] = next_float() * magnitude;
  return values;
}

static void compare(const char *what, int shape, const void *found, const void *wanted, size_t bytes) {
  comparisons++;
  if (memcmp(found, wanted, bytes) == 0) return;
  if (differences++ < 10) fprintf(stderr, "%s differs, shape %d\n", what, shape);
}

/* Compares the bytes of a kernel with those of the definition. */
static void compare_stored(const char *what, int shape, const Kernels *k, uint8_t *found, const uint8_t *wanted,
                           size_t count) {
  for (size_t i = 0; i < count; i++) found[i] = (uint8_t)(found[i] + k->stored_zero);
  compare(what, shape, found, wanted, count);
}

/* Row counts that matter: all small ones, and those around the sizes of tiles and of vectors. */
static const int long_rows[] = {63, 64, 65, 127, 128, 129, 192, 254, 255, 256, 257};

static int row_count(int index) { return index < 50 ? index + 1 : long_rows[index - 50]; }

#define ROW_COUNTS (50 + (int)(sizeof long_rows / sizeof *long_rows))

/* Whether a row count is checked for large matrices too: all would take minutes on an emulated CPU. */
static int is_telling(int rows) { return rows <= 8 || rows == 13 || rows == 16 || rows == 65 || rows == MAX_ROWS; }

/* Weights whose pair sums do not overflow 16 bits, with many pairs at that limit. */
static int8_t *random_weights(int inputs, int outputs) {
  int8_t *weights = allocate((size_t)inputs * outputs);
  for (int i = 0; i < inputs * outputs; i += 2) {
    const int first = (int)(next_random() % 255) - 127;
    const int room = 128 - abs(first);
    const int limit = room < 127 ? room : 127;
    int second = next_random() % 4 == 0 ? limit : (int)(next_random() % (2 * (uint32_t)limit + 1)) - limit;
    if (first < 0) second = -second;
    weights[i] = (int8_t)first;
    weights[i + 1] = (int8_t)second;
  }
  return weights;
}

static Linear random_linear(int inputs, int outputs) {
  Linear linear = {.inputs = inputs, .outputs = outputs};
  linear.weights = random_weights(inputs, outputs);
  float *scales = random_floats(outputs, 0.01f);
  for (int i = 0; i < outputs; i++) scales[i] = fabsf(scales[i]);
  linear.scales = scales;
  linear.bias = random_floats(outputs, 3);
  return linear;
}

static int32_t *compensation_of(const Linear *linear, int zero_point, const Kernels *k) {
  int32_t *compensation = allocate(sizeof(int32_t) * linear->outputs);
  for (int column = 0; column < linear->outputs; column++)
    for (int i = 0; i < linear->inputs; i++)
      compensation[column] +=
          linear->weights[(size_t)(column / LANES) * LANES * linear->inputs + i / GROUP * LANES * GROUP +
                          column % LANES * GROUP + i % GROUP] *
          (k->stored_zero - zero_point);
  return compensation;
}

static void check_linear(const Kernels *k, int inputs, int outputs) {
  Linear linear = random_linear(inputs, outputs), own = linear;
  const size_t byte_count = (size_t)MAX_ROWS * inputs, value_count = (size_t)MAX_ROWS * outputs;
  uint8_t *bytes = allocate(byte_count), *own_bytes = allocate(byte_count);
  for (size_t i = 0; i < byte_count; i++) {
    const uint32_t kind = next_random() % 8;
    bytes[i] = kind == 0 ? 255 : kind == 1 ? 0 : (uint8_t)next_random();
    own_bytes[i] = (uint8_t)(bytes[i] - k->stored_zero);
  }
  float *row_scales = random_floats(MAX_ROWS, 0.1f), *residual = random_floats(value_count, 5);
  float *wanted = allocate(value_count * sizeof(float)), *found = allocate(value_count * sizeof(float));
  float *wanted_maxima = allocate(MAX_ROWS * LANES * sizeof(float)), *found_maxima = allocate(MAX_ROWS * LANES * sizeof(float));
  for (int epilogue = PLAIN; epilogue <= WITH_RESIDUAL; epilogue++) {
    const int zero_point = epilogue == WITH_RESIDUAL ? GELU_ZERO_POINT : SYMMETRIC_ZERO_POINT;
    linear.compensation = compensation_of(&linear, zero_point, &kernels_reference);
    own.compensation = compensation_of(&linear, zero_point, k);
    kernels_reference.multiply(bytes, MAX_ROWS, &linear, (Epilogue)epilogue,
                               &(Destination){.out = wanted, .row_scales = row_scales, .residual = residual, .maxima = wanted_maxima});
    for (int index = 0; index < ROW_COUNTS; index++) {
      const int rows = row_count(index), first = MAX_ROWS - rows; /* so that rows come to lie everywhere in a tile */
      if (inputs * outputs > 128 * 128 && !is_telling(rows)) continue;
      memset(found, 0xff, value_count * sizeof(float));
      k->multiply(own_bytes + (size_t)first * inputs, rows, &own, (Epilogue)epilogue,
                  &(Destination){.out = found,
                                 .row_scales = row_scales + first,
                                 .residual = residual + (size_t)first * outputs,
                                 .maxima = found_maxima});
      compare("multiply", rows, found, wanted + (size_t)first * outputs, (size_t)rows * outputs * sizeof(float));
      if (epilogue == WITH_GELU)
        compare("multiply: maxima", rows, found_maxima, wanted_maxima + first * LANES, (size_t)rows * LANES * sizeof(float));
    }
  }
}

static void check_float_linear(const Kernels *k, int inputs, int outputs) {
  const FloatLinear linear = {.inputs = inputs, .outputs = outputs, .weights = random_floats((size_t)inputs * outputs, 0.2f), .bias = random_floats(outputs, 1)};
  const int rows = 19;
  const float *values = random_floats((size_t)rows * inputs, 3), *residual = random_floats((size_t)rows * outputs, 3);
  float *wanted = allocate((size_t)rows * outputs * sizeof(float)), *found = allocate((size_t)rows * outputs * sizeof(float));
  for (int epilogue = PLAIN; epilogue <= WITH_RESIDUAL; epilogue++)
    for (int count = 1; count <= rows; count++) {
      kernels_reference.multiply_floats(values, count, &linear, (Epilogue)epilogue, &(Destination){.out = wanted, .residual = residual});
      k->multiply_floats(values, count, &linear, (Epilogue)epilogue, &(Destination){.out = found, .residual = residual});
      compare("multiply_floats", count, found, wanted, (size_t)count * outputs * sizeof(float));
    }
}

/* GELU, and so the exponential, of floats of all sizes: a linear layer that passes its inputs on. */
static void check_gelu(const Kernels *k) {
  enum { SIZE = 64, ROWS = 4096 };
  float *identity = allocate(SIZE * SIZE * sizeof(float)), *zeros = allocate(SIZE * sizeof(float));
  for (int i = 0; i < SIZE; i++) identity[i / LANES * LANES * SIZE + i * LANES + i % LANES] = 1;
  const FloatLinear linear = {.inputs = SIZE, .outputs = SIZE, .weights = identity, .bias = zeros};
  float *values = allocate(ROWS * SIZE * sizeof(float)), *wanted = allocate(ROWS * SIZE * sizeof(float)), *found = allocate(ROWS * SIZE * sizeof(float));
  for (int i = 0; i < ROWS * SIZE; i++) values[i] = next_float() * ldexpf(1, (int)(next_random() % 40) - 30);
  kernels_reference.multiply_floats(values, ROWS, &linear, WITH_GELU, &(Destination){.out = wanted});
  k->multiply_floats(values, ROWS, &linear, WITH_GELU, &(Destination){.out = found});
  compare("gelu", ROWS, found, wanted, ROWS * SIZE * sizeof(float));
}

/* Rows of very different magnitudes: zeros, the smallest floats, outliers, values half-way between two bytes. */
static float *uneven_rows(int rows, int columns) {
  static const float sizes[] = {1, 0, 1e-38f, 1e-31f, 1e-20f, 1e4f, 1e10f, 0.03f};
  float *values = allocate((size_t)rows * columns * sizeof(float));
  for (int row = 0; row < rows; row++)
    for (int c = 0; c < columns; c++) {
      const float half_steps = (float)((int)(next_random() % 511) - 255) * 0.5f;
      values[(size_t)row * columns + c] = row % 9 == 8 ? (c == 0 ? 127 : half_steps) : next_float() * sizes[row % 9];
    }
  return values;
}

static void check_rows(const Kernels *k, int columns) {
  const int rows = 41;
  const size_t count = (size_t)rows * columns;
  const float *values = uneven_rows(rows, columns), *smoothing = random_floats(columns, 2);
  const Normalization by = {.gain = random_floats(columns, 2), .offset = random_floats(columns, 0.5f)};
  float *wanted = allocate(count * sizeof(float)), *found = allocate(count * sizeof(float));
  float *wanted_scales = allocate(rows * sizeof(float)), *found_scales = allocate(rows * sizeof(float));
  uint8_t *wanted_bytes = allocate(count), *found_bytes = allocate(count);
  for (int is_quantized = 0; is_quantized < 2; is_quantized++) {
    memcpy(wanted, values, count * sizeof(float));
    memcpy(found, values, count * sizeof(float));
    kernels_reference.normalize(wanted, rows, columns, 1e-12f, &by, is_quantized ? smoothing : NULL, wanted_bytes, wanted_scales);
    k->normalize(found, rows, columns, 1e-12f, &by, is_quantized ? smoothing : NULL, found_bytes, found_scales);
    compare("normalize", columns, found, wanted, count * sizeof(float));
    if (!is_quantized) continue;
    compare("normalize: row scales", columns, found_scales, wanted_scales, rows * sizeof(float));
    compare_stored("normalize: bytes", columns, k, found_bytes, wanted_bytes, count);
  }
  kernels_reference.quantize_symmetric(values, rows, columns, wanted_bytes, wanted_scales);
  k->quantize_symmetric(values, rows, columns, found_bytes, found_scales);
  compare("quantize_symmetric: row scales", columns, found_scales, wanted_scales, rows * sizeof(float));
  compare_stored("quantize_symmetric: bytes", columns, k, found_bytes, wanted_bytes, count);

  const float *activated = random_floats(count, 4);
  float *maxima = allocate((size_t)rows * LANES * sizeof(float));
  for (int i = 0; i < rows * LANES; i++) maxima[i] = fabsf(next_float()) * (i / LANES % 3 == 0 ? 1 : 4);
  kernels_reference.quantize_gelu(activated, rows, columns, maxima, wanted_bytes, wanted_scales);
  k->quantize_gelu(activated, rows, columns, maxima, found_bytes, found_scales);
  compare("quantize_gelu: row scales", columns, found_scales, wanted_scales, rows * sizeof(float));
  compare_stored("quantize_gelu: bytes", columns, k, found_bytes, wanted_bytes, count);

  for (int pooled = 1; pooled <= rows; pooled++) {
    kernels_reference.pool(activated, pooled, columns, wanted);
    k->pool(activated, pooled, columns, found);
    compare("pool", pooled, found, wanted, columns * sizeof(float));
  }
}

static void check_embed(const Kernels *k) {
  enum { COLUMNS = 64, WORDS = 65536 / COLUMNS, TOKENS = 61 };
  uint16_t *words = allocate(sizeof(uint16_t) * WORDS * COLUMNS);
  for (int i = 0; i < WORDS * COLUMNS; i++) words[i] = (uint16_t)((i >> 10 & 31) == 31 ? 0 : i); /* all that are finite */
  const float *positions = random_floats(TOKENS * COLUMNS, 1);
  float wanted[TOKENS * COLUMNS], found[TOKENS * COLUMNS];
  int32_t ids[TOKENS];
  for (int start = 0; start < WORDS; start += TOKENS) {
    for (int t = 0; t < TOKENS; t++) ids[t] = (start + t) % WORDS;
    kernels_reference.embed(words, positions, ids, TOKENS, COLUMNS, wanted);
    k->embed(words, positions, ids, TOKENS, COLUMNS, found);
    compare("embed", start, found, wanted, sizeof wanted);
  }
}

static void check_attention(const Kernels *k, int heads, int head) {
  const int hidden = heads * head;
  const float *projections = random_floats((size_t)MAX_ROWS * hidden * 3, 2);
  float *keys = allocate(2 * (MAX_ROWS + LANES) * head * sizeof(float)), *scores = allocate((MAX_ROWS + LANES) * MAX_QUERIES * sizeof(float));
  float *wanted = allocate((size_t)MAX_ROWS * hidden * sizeof(float)), *found = allocate((size_t)MAX_ROWS * hidden * sizeof(float));
  for (int index = 0; index < ROW_COUNTS; index++) {
    const int tokens = row_count(index);
    if (tokens > 65 && tokens != 129 && tokens != 256) continue; /* the definition is slow */
    kernels_reference.attend(projections, tokens, heads, hidden, keys, scores, wanted);
    k->attend(projections, tokens, heads, hidden, keys, scores, found);
    compare("attend", tokens, found, wanted, (size_t)tokens * hidden * sizeof(float));
  }
}

static int check_functions(const Kernels *k) {
  comparisons = differences = 0;
  static const int sizes[][2] = {{384, 1152}, {1536, 384}, {64, 64}, {128, 128}, {768, 192}, {1024, 64}, {3072, 64}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) check_linear(k, sizes[i][0], sizes[i][1]);
  check_float_linear(k, 64, 128);
  check_float_linear(k, 384, 64);
  check_gelu(k);
  check_embed(k);
  for (int columns = 64; columns <= MAX_COLUMNS; columns *= 2) check_rows(k, columns == 512 ? 384 : columns);
  check_rows(k, MAX_COLUMNS);
  check_attention(k, 2, 32);
  check_attention(k, 1, 64);
  printf("%s: %ld comparisons, %ld differ\n", k->name, comparisons, differences);
  return differences == 0;
}

static int32_t *read_texts(const char *path, size_t *count) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) return NULL;
  *count = (size_t)ftell(file) / sizeof(int32_t);
  int32_t *numbers = allocate(*count * sizeof(int32_t));
  rewind(file);
  if (fread(numbers, sizeof(int32_t), *count, file) != *count) return NULL;
  fclose(file);
  return numbers;
}

/* Batches of 1, 2, 3, 4, 5, 6, 1, … sentences. */
static int encode_texts(const Kernels *k, char **paths) {
  const char *problem;
  size_t count;
  Encoder *encoder = encoder_open(paths[0], paths[1], k, &problem);
  const int32_t *numbers = read_texts(paths[2], &count);
  FILE *out = fopen(paths[3], "wb");
  if (!encoder || !numbers || !out) {
    fprintf(stderr, "cannot encode: %s\n", encoder ? "a file cannot be read or written" : problem);
    return 0;
  }
  enum { MAX_BATCH = 6 };
  const int dimensions = encoder_hidden_size(encoder);
  int32_t *ids = allocate(sizeof(int32_t) * MAX_BATCH * (size_t)encoder_max_tokens(encoder)), lengths[MAX_BATCH];
  float *embeddings = allocate(sizeof(float) * MAX_BATCH * (size_t)dimensions);
  int batch = 1;
  for (size_t place = 0; place < count; batch = batch % MAX_BATCH + 1) {
    int sentences = 0, tokens = 0;
    for (; sentences < batch && place < count; sentences++) {
      lengths[sentences] = numbers[place++];
      memcpy(ids + tokens, numbers + place, sizeof(int32_t) * (size_t)lengths[sentences]);
      place += (size_t)lengths[sentences];
      tokens += lengths[sentences];
    }
    if (!encoder_encode(encoder, ids, lengths, sentences, tokens, embeddings)) return 0;
    fwrite(embeddings, sizeof(float) * (size_t)dimensions, (size_t)sentences, out);
  }
  encoder_close(encoder);
  return fclose(out) == 0;
}

int main(int count, char **arguments) {
  if (count == 2 || count == 3 || count == 6) {
    const Kernels *kernels = find_kernels(arguments[1]);
    if (!kernels) return CANNOT_RUN;
    if (count == 3) return 0;
    return (count == 2 ? check_functions(kernels) : encode_texts(kernels, arguments + 2)) ? 0 : 1;
  }
  int is_right = 1;
  for (const Kernels *const *kernels = all_kernels; *kernels != &kernels_reference; kernels++)
    if ((*kernels)->is_supported()) is_right = check_functions(*kernels) && is_right;
  return is_right ? 0 : 1;
}
