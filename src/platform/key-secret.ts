/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'

const INTERVAL_MS = 60_000
const DEADLINE_MS = 10_000

/** A key file stored as a secret in AWS Secrets Manager. It is read once a minute, which is some 44,000 calls a month. */
export class KeySecret {
  readonly intervalMs: number
  readonly #secretId: string
  readonly #client = new SecretsManagerClient({ maxAttempts: 3 })

  constructor(arn: string, intervalMs = INTERVAL_MS) {
    this.#secretId = arn
    this.intervalMs = intervalMs
  }

  /** Reads the secret. @returns nothing when it is still the version `known`. @throws {Error} with the name of the fault as `code` */
  async readIfNot(known: string | undefined): Promise<{ text: string; version: string } | undefined> {
    const { SecretString: text, VersionId: version = '' } = await this.#client
      .send(new GetSecretValueCommand({ SecretId: this.#secretId }), { abortSignal: AbortSignal.timeout(DEADLINE_MS) })
      .catch((cause: unknown) => {
        throw withCode(cause instanceof Error ? cause.name : 'Unknown', { cause })
      })
    if (text === undefined) throw withCode('its secret is not text')
    return version === known ? undefined : { text, version }
  }

  close(): void {
    this.#client.destroy()
  }
}

function withCode(code: string, options?: ErrorOptions): Error {
  return Object.assign(new Error('Cannot read the keys', options), { code })
}
