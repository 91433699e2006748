/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

#ifndef SBERT_FLOAT_ENCODER_H
#define SBERT_FLOAT_ENCODER_H

#include <stdint.h>

#include "kernels.h"

/*
 * The same model in float32, for the compiler of models: it tells what the inputs of the linear layers look like, and
 * gives the embeddings that the integers are compared with. It computes the same bytes on every CPU.
 */
typedef struct FloatEncoder FloatEncoder;

/* Opens a model; NULL, and why in `problem`, when its file is not what it should be. */
FloatEncoder *float_encoder_open(const char *weights_path, const Kernels *kernels, const char **problem);

void float_encoder_close(FloatEncoder *encoder);

int float_encoder_hidden_size(const FloatEncoder *encoder);

int float_encoder_max_tokens(const FloatEncoder *encoder);

int float_encoder_vocabulary(const FloatEncoder *encoder);

/* Columns of all inputs that float_encoder_encode() tells of: of each layer the attention's, the attention output's and
 * the feed-forward's, one after the other. */
int float_encoder_input_columns(const FloatEncoder *encoder);

/*
 * Encodes one sentence into `out`, L2-normalised. maxima: for each input column, raised to the greatest magnitude found;
 * NULL for none. Returns 0 when there is no memory for it.
 */
int float_encoder_encode(FloatEncoder *encoder, const int32_t *ids, int tokens, float *out, float *maxima);

#endif
