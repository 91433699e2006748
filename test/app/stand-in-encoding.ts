/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import type { CreateEncoding } from '../../src/app/open-app.ts'
import { ServiceError } from '../../src/errors.ts'
import { StandInEncoder, tokenizeWords } from '../server/test-app.ts'

/** A stand-in for the model, which STAND_IN tells what to do: be `broken` at the start, `slow` until SIGWINCH, `stuck` for ever. */
export const createStandInEncoding: CreateEncoding = (_config, logger) => {
  const encoder = new StandInEncoder()
  let isReady = false
  return {
    encoder,
    tokenize: tokenizeWords,
    readiness: { isReady: () => isReady, reasons: () => ['the model is being loaded'] },
    async start() {
      void encoder.nextCall().then(() => logger.info('encoding'))
      if (process.env['STAND_IN'] === 'broken')
        throw new ServiceError('UNAVAILABLE', 'Cannot load the model: a flipped weight')
      if (process.env['STAND_IN'] === 'slow') encoder.gate = new Promise((resolve) => process.once('SIGWINCH', resolve))
      if (process.env['STAND_IN'] === 'stuck') encoder.gate = new Promise(() => undefined)
      isReady = true
    },
    load: () => ({ waitingSentences: 0, waitingTokens: 0, oldestAgeMs: 0, liveWorkers: 1 }),
    async close() {
      isReady = false
    }
  }
}
