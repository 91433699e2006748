/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/* What JavaScript sees of encoder.c, by Node-API: open(weightsPath, wordsPath), dimensions(encoder) and encode(encoder,
 * ids, lengths, out). */

#include <node_api.h>
#include <stdio.h>

#include "encoder.h"

#define MAX_PATH_BYTES 4096

static napi_value fail(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

static void finalize(napi_env env, void *encoder, void *hint) {
  (void)env;
  (void)hint;
  encoder_close(encoder);
}

static napi_value open_encoder(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result;
  size_t count = 2, length;
  char weights[MAX_PATH_BYTES], words[MAX_PATH_BYTES];
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 2 ||
      napi_get_value_string_utf8(env, arguments[0], weights, sizeof weights, &length) != napi_ok ||
      length >= sizeof weights - 1 ||
      napi_get_value_string_utf8(env, arguments[1], words, sizeof words, &length) != napi_ok ||
      length >= sizeof words - 1)
    return fail(env, "Cannot open the encoder: wanted the paths of its weights and of its word embeddings");
  const char *problem;
  Encoder *encoder = encoder_open(weights, words, &problem);
  if (!encoder) {
    char message[2 * MAX_PATH_BYTES + 200];
    snprintf(message, sizeof message, "Cannot open %s with %s: %s", weights, words, problem);
    return fail(env, message);
  }
  if (napi_create_external(env, encoder, finalize, NULL, &result) != napi_ok) {
    encoder_close(encoder);
    return fail(env, "Cannot open the encoder: there is no memory");
  }
  return result;
}

static napi_value dimensions(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  size_t count = 1;
  void *encoder;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok || count != 1 ||
      napi_get_value_external(env, argument, &encoder) != napi_ok ||
      napi_create_int32(env, encoder_hidden_size(encoder), &result) != napi_ok)
    return fail(env, "Cannot tell the dimensions: wanted an encoder");
  return result;
}

static void *typed_array(napi_env env, napi_value value, napi_typedarray_type wanted, size_t *length) {
  napi_typedarray_type type;
  void *data;
  if (napi_get_typedarray_info(env, value, &type, length, &data, NULL, NULL) != napi_ok || type != wanted) return NULL;
  return data;
}

static napi_value encode(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  size_t count = 4, token_count, sentence_count, value_count;
  void *found;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 4 ||
      napi_get_value_external(env, arguments[0], &found) != napi_ok)
    return fail(env, "Cannot encode: wanted an encoder, ids, lengths and a place for the embeddings");
  Encoder *encoder = found;
  const int32_t *ids = typed_array(env, arguments[1], napi_int32_array, &token_count);
  const int32_t *lengths = typed_array(env, arguments[2], napi_int32_array, &sentence_count);
  float *out = typed_array(env, arguments[3], napi_float32_array, &value_count);
  if (!ids || !lengths || !out)
    return fail(env, "Cannot encode: ids and lengths must be Int32Array, the place a Float32Array");
  if (value_count < sentence_count * (size_t)encoder_hidden_size(encoder))
    return fail(env, "Cannot encode: the place is too small");
  size_t sum = 0;
  for (size_t i = 0; i < sentence_count; i++) {
    if (lengths[i] < 1 || lengths[i] > encoder_max_tokens(encoder))
      return fail(env, "Cannot encode: a sentence is empty, or longer than the model reads");
    sum += (size_t)lengths[i];
  }
  if (sum != token_count) return fail(env, "Cannot encode: the lengths do not add up to the number of ids");
  for (size_t i = 0; i < token_count; i++)
    if (ids[i] < 0 || ids[i] >= encoder_vocabulary(encoder))
      return fail(env, "Cannot encode: an id is not in the vocabulary");
  if (!encoder_encode(encoder, ids, lengths, (int)sentence_count, (int)token_count, out))
    return fail(env, "Cannot encode: there is no memory");
  return NULL;
}

static int provide(napi_env env, napi_value exports, const char *name, napi_callback callback) {
  napi_value function;
  return napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function) == napi_ok &&
         napi_set_named_property(env, exports, name, function) == napi_ok;
}

NAPI_MODULE_INIT() {
  if (!provide(env, exports, "open", open_encoder) || !provide(env, exports, "dimensions", dimensions) ||
      !provide(env, exports, "encode", encode))
    napi_throw_error(env, NULL, "Cannot load the encoder");
  return exports;
}
