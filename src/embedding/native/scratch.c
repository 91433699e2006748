/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

#include "scratch.h"

#include <stdint.h>
#include <stdlib.h>

static size_t padded(size_t bytes) { return (bytes + 63) / 64 * 64; }

void *allocate_arrays(const size_t *bytes, void **places, size_t count) {
  size_t sum = 0;
  for (size_t i = 0; i < count; i++) sum += padded(bytes[i]);
  uint8_t *memory = aligned_alloc(64, sum);
  if (!memory) return NULL;
  for (size_t i = 0, start = 0; i < count; start += padded(bytes[i++])) places[i] = memory + start;
  return memory;
}
