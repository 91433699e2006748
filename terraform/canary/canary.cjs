/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// Asks for an encode through CloudFront as a caller would, and once without a key. Its one figure is an EMF line of its log.
const { GetSecretValueCommand, SecretsManagerClient } = require('@aws-sdk/client-secrets-manager')

const { SERVICE_URL, SECRET_ARN, STAGE } = process.env
const secrets = new SecretsManagerClient({})

/** Fails when the service does; the alarm looks at the figure, which is 0 then, or missing. */
exports.handler = async function handler() {
  const startMs = Date.now()
  const problem = await findProblem().catch((error) => error.name)
  const figures = { CanarySuccess: problem === undefined ? 1 : 0, CanarySeconds: (Date.now() - startMs) / 1000 }
  const metrics = [
    { Name: 'CanarySuccess', Unit: 'Count' },
    { Name: 'CanarySeconds', Unit: 'Seconds' }
  ]
  const directive = { Namespace: 'sbert-service', Dimensions: [['Stage']], Metrics: metrics }
  console.log(
    JSON.stringify({ _aws: { Timestamp: startMs, CloudWatchMetrics: [directive] }, Stage: STAGE, problem, ...figures })
  )
  return figures
}

async function findProblem() {
  const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: SECRET_ARN }))
  const headers = { authorization: `Bearer ${SecretString.split(',')[0].trim()}` }
  // Another text each minute: one that CloudFront has kept would say nothing of the service behind it.
  const url = `${SERVICE_URL}/v1/encode?query=${encodeURIComponent(`canary of ${new Date().toISOString().slice(0, 16)}`)}`
  const signal = AbortSignal.timeout(10_000)
  const reply = await fetch(url, { headers, signal })
  if (reply.status !== 200) return `status ${reply.status}`
  const { encoding } = await reply.json()
  const norm = Math.hypot(...encoding)
  if (encoding.length !== 384 || Math.abs(norm - 1) > 1e-3) return 'no embedding'
  const stranger = await fetch(url, { signal })
  await stranger.arrayBuffer()
  return stranger.status === 401 ? undefined : `status ${stranger.status} without a key`
}
