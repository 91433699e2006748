/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** A place in onnxruntime's source and the C++ function there, which its messages name before the reason. */
const PLACE_IN_SOURCE = /\/\S+\.(?:cc|h):\d+ .*?\)(?: const)?(?: \[with .*?\])? (?=\S)/gs

/** Messages hold names out of the model, which its author makes as long as he likes. */
const MAX_CHARACTERS = 2000

/**
 * The reason in a message of onnxruntime, without places in its source.
 * @example reasonOf('/src/model.cc:202 Model::Model(int) Unsupported version\n') // 'Unsupported version'
 */
export function reasonOf(message: string): string {
  return message.slice(0, MAX_CHARACTERS).replaceAll(PLACE_IN_SOURCE, '').trim()
}
