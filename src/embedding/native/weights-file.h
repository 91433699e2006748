/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

#ifndef SBERT_WEIGHTS_FILE_H
#define SBERT_WEIGHTS_FILE_H

#include <stdint.h>

#include "kernels.h"
#include "shared-file.h"

/*
 * The file of weights: this header, then arrays in the order in which they are taken, each at a multiple of 64 bytes.
 * Numbers are little-endian. tools/compile-model/packed-weights.ts writes it.
 */
typedef struct {
  char magic[8];
  int32_t version, layers, heads, hidden, intermediate, max_tokens, vocabulary, is_cls;
  float epsilon;
  int32_t is_float; /* 0: 8-bit integers; 1: float32 throughout, for calibration */
  int32_t unused[4];
} WeightsHeader;

typedef struct {
  SharedFile *file;
  const WeightsHeader *header;
  const uint8_t *next, *end;
  int is_short; /* whether more was taken than there is */
} WeightsFile;

/* Opens a file of weights; 0, and why in `problem`, when it is not one. What is taken lives until it is closed. */
int weights_file_open(WeightsFile *weights, const char *path, int is_float, const char **problem);

void weights_file_close(WeightsFile *weights);

/* The next array; NULL at the end of the file. */
const void *take_bytes(WeightsFile *weights, size_t bytes);

const float *take_floats(WeightsFile *weights, size_t count);

Normalization take_normalization(WeightsFile *weights, int columns);

#endif
