/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { JobFailedError, Producer } from 'sbert-service/jobs'
import { openBackend, type Question, type WordCount } from './backend.ts'

/* Enqueues questions in each of the ways there are. */
const backend = await openBackend()
const producer = new Producer<Question, WordCount>(backend, { type: 'count-words' })

// Enqueue now, ask later.
const id = await producer.postNonBlocking({ text: 'How long have you been in the navy?' })
console.log(`producer ${process.pid}: job ${id} is ${await producer.retrieveResultStatus(id)}`)
let status = await producer.retrieveResultStatus(id)
while (status === 'SUBMITTED' || status === 'IN_PROGRESS') {
  await new Promise((resolve) => setTimeout(resolve, 50))
  status = await producer.retrieveResultStatus(id)
}
console.log(`producer ${process.pid}: job ${id} is ${status}:`, await producer.retrieveResult(id))

// Enqueue and wait.
console.log('waited for:', await producer.post({ text: 'What did you study?' }, { timeoutMs: 10_000 }))

// The same key, the same job: a producer that crashed may repeat itself.
const keyed = { idempotencyKey: `question-${id}` }
const [first, second] = [
  await producer.postNonBlocking({ text: 'Only once' }, keyed),
  await producer.postNonBlocking({ text: 'Only once' }, keyed)
]
console.log(`the same key twice: ${first === second ? 'one job' : 'two jobs'}`)

// A try that fails by surprise is repeated; what can never work fails at once.
console.log('after another try:', await producer.post({ text: 'Flaky at first' }, { timeoutMs: 30_000 }))
try {
  await producer.post({ text: '' }, { timeoutMs: 10_000 })
} catch (error) {
  if (!(error instanceof JobFailedError)) throw error
  console.log('refused for good:', error.job.lastError)
}
await backend.close()
