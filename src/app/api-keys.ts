/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { KeyFileError } from '../server/callers/key-file.ts'
import { KeyRing } from '../server/callers/key-ring.ts'
import { keyFileAt, watchKeyFile, type KeyFileSource } from '../server/callers/watched-key-file.ts'
import { giveUp, type ProcessContext } from './open-process.ts'

/**
 * Opens the keys of `API_KEYS_FILE`, a file or a secret of AWS, which is read now, when it changes, and on SIGHUP.
 * @returns an empty key ring when the setting is not set; undefined when the process cannot start, for the reason on
 *   standard error
 */
export async function openKeyRing(context: ProcessContext): Promise<KeyRing | undefined> {
  const { config, log, metrics, closing } = context
  const ring = new KeyRing()
  if (config.apiKeysFile === undefined) return ring
  try {
    const source = await openSource(config.apiKeysFile, closing)
    const file = await watchKeyFile({ source, ring, log: log.logger })
    closing.adopt(file, () => file.close())
    metrics.addApiKeys({
      keyCount: () => ring.size,
      failureCount: () => file.failureCount,
      isBehind: () => file.isBehind
    })
    const reload = (): void => void file.reload()
    process.on('SIGHUP', reload)
    closing.defer(() => void process.off('SIGHUP', reload))
  } catch (error) {
    if (!(error instanceof KeyFileError)) throw error
    return giveUp(`Cannot start: API_KEYS_FILE cannot be read: ${error.message}`)
  }
  return ring
}

async function openSource(address: string, closing: ProcessContext['closing']): Promise<KeyFileSource> {
  if (!address.startsWith('arn:')) return keyFileAt(address)
  // Loaded only when needed: loading the SDK takes a quarter of a second.
  const { KeySecret } = await import('../platform/key-secret.ts')
  const secret = new KeySecret(address)
  closing.defer(() => secret.close())
  return secret
}
