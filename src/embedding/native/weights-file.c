/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

#include "weights-file.h"

#include <stddef.h>
#include <string.h>

#define VERSION 2

static int is_known(const WeightsHeader *header, int is_float) {
  return memcmp(header->magic, "sbertenc", 8) == 0 && header->version == VERSION && header->is_float == is_float &&
         header->layers > 0 && header->heads > 0 && header->hidden > 0 && header->intermediate > 0 &&
         header->max_tokens > 0 && header->vocabulary > 0 && header->hidden % SIZE_MULTIPLE == 0 &&
         header->intermediate % SIZE_MULTIPLE == 0 && header->hidden % (header->heads * 2 * LANES) == 0;
}

int weights_file_open(WeightsFile *weights, const char *path, int is_float, const char **problem) {
  memset(weights, 0, sizeof *weights);
  weights->file = shared_file_open(path);
  *problem = "the file of weights cannot be read";
  if (!weights->file) return 0;
  weights->header = shared_file_bytes(weights->file);
  weights->end = (const uint8_t *)weights->header + shared_file_length(weights->file);
  weights->next = (const uint8_t *)(weights->header + 1);
  *problem = "the weights are of another format, or of sizes that are not known";
  if (weights->next <= weights->end && is_known(weights->header, is_float)) return 1;
  weights_file_close(weights);
  return 0;
}

void weights_file_close(WeightsFile *weights) {
  shared_file_close(weights->file);
  weights->file = NULL;
}

const void *take_bytes(WeightsFile *weights, size_t bytes) {
  const size_t padded = (bytes + 63) / 64 * 64;
  const void *found = weights->next;
  if ((size_t)(weights->end - weights->next) < padded) {
    weights->is_short = 1;
    return NULL;
  }
  weights->next += padded;
  return found;
}

const float *take_floats(WeightsFile *weights, size_t count) { return take_bytes(weights, sizeof(float) * count); }

Normalization take_normalization(WeightsFile *weights, int columns) {
  Normalization normalization;
  normalization.gain = take_floats(weights, columns);
  normalization.offset = take_floats(weights, columns);
  return normalization;
}
