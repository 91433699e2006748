/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { resolve } from 'node:path'
import { LocalEncoder } from '../embedding/local-encoder.ts'
import { usableCores } from '../embedding/usable-cores.ts'
import type { CreateEncoding } from './open-app.ts'

/** Creates the encoder of this machine from the settings, for the service and for workers. */
export const createLocalEncoding: CreateEncoding = (config, logger, observer = {}) => {
  const encoder = new LocalEncoder({
    folder: resolve(config.modelDir),
    precision: config.modelPrecision,
    kernel: config.nativeKernel,
    workerCount: config.encodeWorkers === 0 ? usableCores() : config.encodeWorkers,
    maxBatchTokens: config.maxBatchTokens,
    maxPendingTokens: config.maxPendingTokens,
    maxCallerShare: config.maxCallerPercent / 100,
    observer: {
      ...observer,
      workerCrashed: (error) => {
        logger.error({ err: error }, 'an encoder thread died')
        observer.workerCrashed?.(error)
      }
    },
    onInt8Missing: (reason) =>
      logger.warn(
        { reason },
        'embeddings are computed in fp32, several times slower than int8; for int8 install a C compiler, run "make download-models" and start again'
      )
  })
  return {
    encoder,
    tokenize: (text, truncate) => encoder.tokenizer.tokenize(text, truncate),
    readiness: { isReady: () => encoder.problems().length === 0, reasons: () => encoder.problems() },
    start: async () => {
      await encoder.start()
      const { arithmetic, revision, refusedKernels } = encoder
      logger.info(
        { arithmetic, revision, ...(refusedKernels.length === 0 ? {} : { refusedKernels }) },
        'the model is loaded'
      )
    },
    close: async () => encoder.close(),
    load: () => encoder.currentLoad()
  }
}
