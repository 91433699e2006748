/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/*
 * The encoders as JavaScript sees them, by Node-API:
 *   kernels()                              names of the kernels that this CPU can run, the fastest first
 *   refusedKernels()                       names of those that the CPU could run, and the system does not let it
 *   open(weights, words, kernel)           an encoder in 8-bit integers; paths of its files, a name of kernels()
 *   dimensions(encoder)
 *   encode(encoder, ids, lengths, out)     sentences, their tokens one after the other, into rows of `out`
 *   openFloat(weights, kernel)             the model in float32, for the compiler of models
 *   inputColumns(floatEncoder)             length of `maxima`
 *   encodeFloat(floatEncoder, ids, out, maxima)   one sentence
 *   trimMemory()                           gives freed memory back to the kernel
 *   multiplyRows(embedding, rows, indexes, products), addProducts(embedding, rows, stride, sums)   inner-products.h
 */

#include <node_api.h>
#include <stdio.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "cpu-features.h"
#include "encoder.h"
#include "float-encoder.h"
#include "inner-products.h"

#define MAX_TEXT_BYTES 4096

static const napi_type_tag encoder_tag = {0x8a1c0f2be4d34c11, 0x9f62a7d05b3e8846};
static const napi_type_tag float_encoder_tag = {0x3b7de19a50c84f6e, 0xa4d8260c71f59be3};

static napi_value fail(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

/* Whether a call has just so many arguments. */
static int has_arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *arguments) {
  size_t count = wanted;
  return napi_get_cb_info(env, info, &count, arguments, NULL, NULL) == napi_ok && count == wanted;
}

static int get_text(napi_env env, napi_value value, char text[MAX_TEXT_BYTES]) {
  size_t length;
  return napi_get_value_string_utf8(env, value, text, MAX_TEXT_BYTES, &length) == napi_ok &&
         length < MAX_TEXT_BYTES - 1; /* a longer text would have been cut */
}

/* What an external value of that kind holds; NULL for every other value. */
static void *get_external(napi_env env, napi_value value, const napi_type_tag *tag) {
  napi_valuetype type;
  bool is_of_kind = false;
  void *found;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_external) return NULL;
  if (napi_check_object_type_tag(env, value, tag, &is_of_kind) != napi_ok || !is_of_kind) return NULL;
  return napi_get_value_external(env, value, &found) == napi_ok ? found : NULL;
}

static void *get_array(napi_env env, napi_value value, napi_typedarray_type wanted, size_t *length) {
  napi_typedarray_type type;
  void *data;
  if (napi_get_typedarray_info(env, value, &type, length, &data, NULL, NULL) != napi_ok || type != wanted) return NULL;
  return data;
}

static void finalize_encoder(napi_env env, void *encoder, void *hint) {
  (void)env;
  (void)hint;
  encoder_close(encoder);
}

static void finalize_float_encoder(napi_env env, void *encoder, void *hint) {
  (void)env;
  (void)hint;
  float_encoder_close(encoder);
}

/* An external value that owns what was opened; where nothing was, an error that says why. */
static napi_value wrap_opened(napi_env env, void *opened, const char *path, const char *problem,
                              const napi_type_tag *tag, napi_finalize finalize) {
  napi_value result;
  if (!opened) {
    char message[MAX_TEXT_BYTES + 200];
    snprintf(message, sizeof message, "Cannot open %s: %s", path, problem);
    return fail(env, message);
  }
  if (napi_create_external(env, opened, finalize, NULL, &result) != napi_ok) {
    finalize(env, opened, NULL);
    return fail(env, "Cannot open the encoder: there is no memory");
  }
  if (napi_type_tag_object(env, result, tag) != napi_ok) return fail(env, "Cannot open the encoder: this is a bug");
  return result;
}

static napi_value list_kernels(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value names, name;
  uint32_t count = 0;
  if (napi_create_array(env, &names) != napi_ok) return NULL;
  for (const Kernels *const *kernels = all_kernels; *kernels; kernels++)
    if ((*kernels)->is_supported() &&
        (napi_create_string_utf8(env, (*kernels)->name, NAPI_AUTO_LENGTH, &name) != napi_ok ||
         napi_set_element(env, names, count++, name) != napi_ok))
      return NULL;
  return names;
}

static napi_value list_refused_kernels(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value names;
  if (napi_create_array(env, &names) != napi_ok) return NULL;
#if defined(__x86_64__) && !defined(WITHOUT_AMX_INT8)
  napi_value name;
  if (tiles_are_refused() &&
      (napi_create_string_utf8(env, kernels_amx_int8.name, NAPI_AUTO_LENGTH, &name) != napi_ok ||
       napi_set_element(env, names, 0, name) != napi_ok))
    return NULL;
#endif
  return names;
}

static napi_value open_encoder(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  char weights[MAX_TEXT_BYTES], words[MAX_TEXT_BYTES], name[MAX_TEXT_BYTES];
  if (!has_arguments(env, info, 3, arguments) || !get_text(env, arguments[0], weights) ||
      !get_text(env, arguments[1], words) || !get_text(env, arguments[2], name))
    return fail(env, "Cannot open the encoder: wanted the paths of its weights and of its word embeddings, and the "
                     "name of the kernels");
  const Kernels *kernels = find_kernels(name);
  if (!kernels) return fail(env, "Cannot open the encoder: there are no such kernels for this CPU");
  const char *problem;
  Encoder *encoder = encoder_open(weights, words, kernels, &problem);
  return wrap_opened(env, encoder, weights, problem, &encoder_tag, finalize_encoder);
}

static napi_value dimensions(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  const Encoder *encoder;
  if (!has_arguments(env, info, 1, &argument) || !(encoder = get_external(env, argument, &encoder_tag)) ||
      napi_create_int32(env, encoder_hidden_size(encoder), &result) != napi_ok)
    return fail(env, "Cannot tell the dimensions: wanted an encoder");
  return result;
}

/* What of some ids does not fit; NULL when all do. */
static const char *problem_of_ids(const int32_t *ids, size_t count, int vocabulary) {
  for (size_t i = 0; i < count; i++)
    if (ids[i] < 0 || ids[i] >= vocabulary) return "Cannot encode: an id is not in the vocabulary";
  return NULL;
}

static napi_value encode(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  size_t token_count, sentence_count, value_count;
  Encoder *encoder;
  if (!has_arguments(env, info, 4, arguments) || !(encoder = get_external(env, arguments[0], &encoder_tag)))
    return fail(env, "Cannot encode: wanted an encoder, ids, lengths and a place for the embeddings");
  const int32_t *ids = get_array(env, arguments[1], napi_int32_array, &token_count);
  const int32_t *lengths = get_array(env, arguments[2], napi_int32_array, &sentence_count);
  float *out = get_array(env, arguments[3], napi_float32_array, &value_count);
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
  const char *problem = problem_of_ids(ids, token_count, encoder_vocabulary(encoder));
  if (problem) return fail(env, problem);
  if (!encoder_encode(encoder, ids, lengths, (int)sentence_count, (int)token_count, out))
    return fail(env, "Cannot encode: there is no memory");
  return NULL;
}

static napi_value open_float_encoder(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  char weights[MAX_TEXT_BYTES], name[MAX_TEXT_BYTES];
  if (!has_arguments(env, info, 2, arguments) || !get_text(env, arguments[0], weights) ||
      !get_text(env, arguments[1], name))
    return fail(env, "Cannot open the float encoder: wanted the path of its weights and the name of the kernels");
  const Kernels *kernels = find_kernels(name);
  if (!kernels) return fail(env, "Cannot open the float encoder: there are no such kernels for this CPU");
  const char *problem;
  FloatEncoder *encoder = float_encoder_open(weights, kernels, &problem);
  return wrap_opened(env, encoder, weights, problem, &float_encoder_tag, finalize_float_encoder);
}

static napi_value input_columns(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  const FloatEncoder *encoder;
  if (!has_arguments(env, info, 1, &argument) || !(encoder = get_external(env, argument, &float_encoder_tag)) ||
      napi_create_int32(env, float_encoder_input_columns(encoder), &result) != napi_ok)
    return fail(env, "Cannot tell the input columns: wanted a float encoder");
  return result;
}

static napi_value encode_float(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  size_t token_count, value_count, column_count;
  FloatEncoder *encoder;
  if (!has_arguments(env, info, 4, arguments) || !(encoder = get_external(env, arguments[0], &float_encoder_tag)))
    return fail(env, "Cannot encode: wanted a float encoder, ids, a place for the embedding and one for the maxima");
  const int32_t *ids = get_array(env, arguments[1], napi_int32_array, &token_count);
  float *out = get_array(env, arguments[2], napi_float32_array, &value_count);
  float *maxima = get_array(env, arguments[3], napi_float32_array, &column_count);
  if (!ids || !out || !maxima) return fail(env, "Cannot encode: ids must be an Int32Array, the places Float32Array");
  if (token_count < 1 || token_count > (size_t)float_encoder_max_tokens(encoder))
    return fail(env, "Cannot encode: a sentence is empty, or longer than the model reads");
  if (value_count < (size_t)float_encoder_hidden_size(encoder) ||
      column_count < (size_t)float_encoder_input_columns(encoder))
    return fail(env, "Cannot encode: a place is too small");
  const char *problem = problem_of_ids(ids, token_count, float_encoder_vocabulary(encoder));
  if (problem) return fail(env, problem);
  if (!float_encoder_encode(encoder, ids, (int)token_count, out, maxima))
    return fail(env, "Cannot encode: there is no memory");
  return NULL;
}

/* Gives back to the kernel what was freed: an arena of glibc else keeps every page below the highest one in use. */
static napi_value trim_memory(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  return NULL;
}

static napi_value multiply_rows_of(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  size_t columns, value_count, count, product_count;
  if (!has_arguments(env, info, 4, arguments))
    return fail(env, "Cannot multiply: wanted an embedding, rows, indexes and a place for the products");
  const int16_t *embedding = get_array(env, arguments[0], napi_int16_array, &columns);
  const int8_t *rows = get_array(env, arguments[1], napi_int8_array, &value_count);
  const int32_t *indexes = get_array(env, arguments[2], napi_int32_array, &count);
  int32_t *products = get_array(env, arguments[3], napi_int32_array, &product_count);
  if (!embedding || !rows || !indexes || !products || columns == 0 || product_count < count)
    return fail(env, "Cannot multiply: the arrays have other types than wanted, or do not fit each other");
  const size_t row_count = value_count / columns;
  for (size_t i = 0; i < count; i++)
    if (indexes[i] < 0 || (size_t)indexes[i] >= row_count) return fail(env, "Cannot multiply: there is no such row");
  multiply_rows(embedding, rows, indexes, count, columns, products);
  return NULL;
}

static napi_value add_products_of(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  size_t columns, value_count, count;
  uint32_t stride;
  if (!has_arguments(env, info, 4, arguments) || napi_get_value_uint32(env, arguments[2], &stride) != napi_ok)
    return fail(env, "Cannot multiply: wanted an embedding, rows, their stride and the sums");
  const float *embedding = get_array(env, arguments[0], napi_float32_array, &columns);
  const float *rows = get_array(env, arguments[1], napi_float32_array, &value_count);
  double *sums = get_array(env, arguments[3], napi_float64_array, &count);
  if (!embedding || !rows || !sums || columns > stride || (count > 0 && (count - 1) * stride + columns > value_count))
    return fail(env, "Cannot multiply: the arrays have other types than wanted, or do not fit each other");
  add_products(embedding, rows, stride, count, columns, sums);
  return NULL;
}

static int provide(napi_env env, napi_value exports, const char *name, napi_callback callback) {
  napi_value function;
  return napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function) == napi_ok &&
         napi_set_named_property(env, exports, name, function) == napi_ok;
}

NAPI_MODULE_INIT() {
  if (!provide(env, exports, "kernels", list_kernels) ||
      !provide(env, exports, "refusedKernels", list_refused_kernels) || !provide(env, exports, "open", open_encoder) ||
      !provide(env, exports, "dimensions", dimensions) || !provide(env, exports, "encode", encode) ||
      !provide(env, exports, "openFloat", open_float_encoder) ||
      !provide(env, exports, "inputColumns", input_columns) || !provide(env, exports, "encodeFloat", encode_float) ||
      !provide(env, exports, "trimMemory", trim_memory) ||
      !provide(env, exports, "multiplyRows", multiply_rows_of) ||
      !provide(env, exports, "addProducts", add_products_of))
    napi_throw_error(env, NULL, "Cannot load the encoder");
  return exports;
}
