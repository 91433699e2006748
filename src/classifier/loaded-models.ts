/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { LRUCache } from 'lru-cache'
import { ClassifierModel, type LoadOptions, type ModelBytes } from './classifier-model.ts'

export interface LoadedModelsOptions extends LoadOptions {
  /** Memory of all loaded models together, in bytes; those asked for least recently go first. */
  readonly maxBytes: number
  /** Reads a model; undefined when there is none under that key. */
  readonly read: (key: string) => Promise<ModelBytes | undefined>
}

/** Trained models in memory, bounded: each is read when first asked for, once however many ask for it at the same time. */
export class LoadedModels {
  readonly #models: LRUCache<string, ClassifierModel>

  constructor({ maxBytes, read, ...loadOptions }: LoadedModelsOptions) {
    this.#models = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: (model) => model.byteLength,
      // Who is waiting for a model when it is forgotten gets it all the same.
      ignoreFetchAbort: true,
      fetchMethod: async (key) => {
        const bytes = await read(key)
        return bytes === undefined ? undefined : ClassifierModel.load(bytes, loadOptions)
      }
    })
  }

  /**
   * The model of a key. One that is larger than all the memory allowed is given, but not kept.
   * @throws what reading or loading throws; nothing is kept then, and the next call tries again
   */
  async get(key: string): Promise<ClassifierModel | undefined> {
    return this.#models.fetch(key)
  }

  /** Forgets a model, which is read anew when next asked for. Who holds it already keeps it. */
  forget(key: string): void {
    this.#models.delete(key)
  }
}
