/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { LRUCache } from 'lru-cache'
import { ClassifierModel, type LoadOptions, type ModelBytes } from '../learning/classifier-model.ts'

/** The key of a version among {@link LoadedModels}. Versions do not change, so neither does what is loaded. */
export function modelKey(name: string, version: number): string {
  return `${version} ${name}`
}

/** What a key of {@link modelKey} stands for. */
export function parseModelKey(key: string): { readonly name: string; readonly version: number } {
  const space = key.indexOf(' ')
  return { name: key.slice(space + 1), version: Number(key.slice(0, space)) }
}

export interface LoadedModelsOptions extends LoadOptions {
  /** Memory of all loaded models together, in bytes; those asked for least recently go first. */
  readonly maxBytes: number
  /** Reads a model; undefined when there is none under that key, which is one of {@link modelKey} outside of tests. */
  readonly read: (key: string) => Promise<ModelBytes | undefined>
}

/** Trained models in memory, bounded: each is read when first asked for, once however many ask for it at the same time. */
export class LoadedModels {
  readonly #models: LRUCache<string, ClassifierModel>

  constructor({ maxBytes, read, ...loadOptions }: LoadedModelsOptions) {
    this.#models = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: (model) => model.byteLength,
      // Callers that wait for a model when it is forgotten get it all the same.
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
