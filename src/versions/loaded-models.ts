/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { LRUCache } from 'lru-cache'
import { ClassifierModel, type LoadOptions, type ModelBytes } from '../learning/classifier-model.ts'

/** Key of a version in {@link LoadedModels}. Versions never change, so loaded models stay valid. */
export function modelKey(name: string, version: number): string {
  return `${version} ${name}`
}

/** Parses a key of {@link modelKey}. */
export function parseModelKey(key: string): { readonly name: string; readonly version: number } {
  const space = key.indexOf(' ')
  return { name: key.slice(space + 1), version: Number(key.slice(0, space)) }
}

export interface LoadedModelsOptions extends LoadOptions {
  /** Maximum memory of all loaded models, in bytes; the least recently used are evicted first. */
  readonly maxBytes: number
  /** Reads a model; undefined when there is none of that key. Outside of tests, keys are those of {@link modelKey}. */
  readonly read: (key: string) => Promise<ModelBytes | undefined>
}

/**
 * Cache of trained models in memory. A model is read when first needed, only once when several callers need it at the
 * same time.
 */
export class LoadedModels {
  readonly #models: LRUCache<string, ClassifierModel>

  constructor({ maxBytes, read, ...loadOptions }: LoadedModelsOptions) {
    this.#models = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: (model) => model.byteLength,
      // Callers that wait for a model while others push it out still get it.
      ignoreFetchAbort: true,
      fetchMethod: async (key) => {
        const bytes = await read(key)
        return bytes === undefined ? undefined : ClassifierModel.load(bytes, loadOptions)
      }
    })
  }

  /**
   * Gets the model of a key. One that is larger than the whole cache is returned but not kept.
   * @throws what reading or loading throws; nothing is kept then, and the next call tries again
   */
  async get(key: string): Promise<ClassifierModel | undefined> {
    return this.#models.fetch(key)
  }
}
