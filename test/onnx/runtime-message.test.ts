/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reasonOf } from '../../src/onnx/runtime-message.ts'

test('reasonOf() leaves out where in its source onnxruntime failed', () => {
  for (const [message, reason] of [
    [
      '/onnxruntime_src/onnxruntime/core/graph/model_load_utils.h:46 void onnxruntime::model_load_utils::ValidateOpsetForDomain(const std::unordered_map<std::__cxx11::basic_string<char>, int>&, bool, int) ONNX Runtime only *guarantees* support till opset 26.\n',
      'ONNX Runtime only *guarantees* support till opset 26.'
    ],
    [
      "Non-zero status code returned while running Reshape node. Name:'' Status Message: /onnxruntime_src/onnxruntime/core/providers/cpu/tensor/reshape_helper.h:91 onnxruntime::ReshapeHelper::ReshapeHelper(const onnxruntime::TensorShape&, std::function<void(int)>, bool) const size was false (2 of 7). Input shape:{2,2}\n",
      "Non-zero status code returned while running Reshape node. Name:'' Status Message: size was false (2 of 7). Input shape:{2,2}"
    ],
    ['/src/a.cc:7 T onnxruntime::f(U) [with T = int; U = char] Wrong', 'Wrong'],
    ['Load model failed: Unknown operator (Foo) at /v1/x', 'Load model failed: Unknown operator (Foo) at /v1/x']
  ] as const) {
    assert.equal(reasonOf(message), reason)
  }
  assert.ok(reasonOf(`No operator ${'/a.h:'.repeat(1_000_000)}`).length <= 2000)
})
