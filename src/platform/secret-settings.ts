/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'

/** Longer than reading a secret takes, and short compared with the time that a function has to start. */
const DEADLINE_MS = 5000

/**
 * Reads settings whose values are secrets of AWS Secrets Manager. A function's environment variables are readable by everyone
 * who may view the function.
 * @param list `NAME=<ARN of the secret>`, comma separated
 * @throws {Error} that names the setting when its secret cannot be read or has no value
 */
export async function readSecretSettings(list: string): Promise<Readonly<Record<string, string>>> {
  const client = new SecretsManagerClient({ maxAttempts: 3 })
  try {
    return Object.fromEntries(
      await Promise.all(list.split(',').map(async (entry) => readSecretSetting(client, entry.trim())))
    )
  } finally {
    client.destroy()
  }
}

async function readSecretSetting(client: SecretsManagerClient, entry: string): Promise<[name: string, value: string]> {
  const [, name, SecretId] = /^([A-Z_]+)=(\S+)$/.exec(entry) ?? []
  if (name === undefined || SecretId === undefined) {
    throw new Error(`Cannot read the secrets: want NAME=<ARN of the secret> in LAMBDA_SECRETS, not "${entry}"`)
  }
  const { SecretString } = await client
    .send(new GetSecretValueCommand({ SecretId }), { abortSignal: AbortSignal.timeout(DEADLINE_MS) })
    .catch((error: unknown) => {
      const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
      throw new Error(`Cannot read the secret of ${name}: ${reason}`, { cause: error })
    })
  if (SecretString === undefined) throw new Error(`Cannot read the secret of ${name}: it is not text`)
  return [name, SecretString]
}
