/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

#ifndef SBERT_ENCODER_H
#define SBERT_ENCODER_H

#include <stdint.h>

#include "kernels.h"

/*
 * A model whose files are mapped into memory, which all who open them share. It computes in memory of its own: for one
 * thread at a time.
 */
typedef struct Encoder Encoder;

/* Opens a model to be computed by the given kernels; NULL, and why in `problem`, when its files are not what they
 * should be. */
Encoder *encoder_open(const char *weights_path, const char *words_path, const Kernels *kernels, const char **problem);

void encoder_close(Encoder *encoder);

int encoder_hidden_size(const Encoder *encoder);

int encoder_max_tokens(const Encoder *encoder);

int encoder_vocabulary(const Encoder *encoder);

/*
 * Encodes sentences, whose tokens lie one after the other, into rows of `out`, L2-normalised. Every length is at least
 * 1 and at most the greatest that the model takes, they add up to `tokens`, and every id is in the vocabulary. Returns
 * 0 when there is no memory for it.
 */
int encoder_encode(Encoder *encoder, const int32_t *ids, const int32_t *lengths, int sentences, int tokens, float *out);

#endif
