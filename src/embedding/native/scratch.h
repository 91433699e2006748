/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

#ifndef SBERT_SCRATCH_H
#define SBERT_SCRATCH_H

#include <stddef.h>

/* Cuts one piece of memory into arrays, each at a multiple of 64 bytes: `places` gets where each begins. Returns the
 * piece, for free(); NULL when there is no memory. */
void *allocate_arrays(const size_t *bytes, void **places, size_t count);

#endif
