/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Consumer, PermanentJobError } from 'sbert-service/jobs'
import { openBackend, type Question, type WordCount } from './backend.ts'

/* Counts words, four questions at a time, until it is told to stop. */
const backend = await openBackend()
const consumer = new Consumer<Question, WordCount>({
  backend,
  type: 'count-words',
  concurrency: 4,
  async computeResult({ text }, { job }) {
    if (text === '') throw new PermanentJobError('there is nothing to count')
    // What fails by surprise is tried again: half a second later on average, then a second, two, four.
    if (text.startsWith('Flaky') && job.attempts === 1) throw new Error('a network had a bad moment')
    return { words: text.split(/\s+/).length }
  }
})
consumer.startConsuming()
console.log(`consumer ${process.pid}: waiting for work`)

process.once('SIGTERM', () => void stop())
process.once('SIGINT', () => void stop())

async function stop(): Promise<void> {
  await consumer.stop()
  await backend.close()
  console.log(`consumer ${process.pid}: finished what it was at, and stopped`)
}
