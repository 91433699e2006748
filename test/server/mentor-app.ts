/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { SignJWT } from 'jose'
import type { Classifiers } from '../../src/classifier/classifiers.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import type { Embeddings, Encoder } from '../../src/embedding/encoder.ts'
import { encoderCatalogue } from '../../src/inference/encoder-model.ts'
import { joinCatalogues } from '../../src/inference/inference-model.ts'
import { JobRunner } from '../../src/jobs/job-runner.ts'
import { MemoryJobBackend } from '../../src/jobs/memory-job-backend.ts'
import { openMentors } from '../../src/app/mentors.ts'
import { createMetrics, type Metrics } from '../../src/server/metrics.ts'
import { AUTHORIZED, JWT_SECRET, buildTestApp, embeddingOf } from './test-app.ts'

/** Stands in for the model where near questions must be near: a text's embedding is the sum of its words'. */
export class WordsEncoder implements Encoder {
  readonly revision: string
  readonly dimensions = 384
  readonly maxTokens = 256
  /** Every text that was encoded. */
  readonly encoded: string[] = []

  constructor(revision = 'words-1') {
    this.revision = revision
  }

  async encode(sentences: readonly string[]): Promise<Embeddings> {
    this.encoded.push(...sentences)
    const values = new Float32Array(sentences.length * this.dimensions)
    for (const [index, sentence] of sentences.entries()) {
      const row = values.subarray(index * this.dimensions, (index + 1) * this.dimensions)
      for (const word of sentence.toLowerCase().split(/\W+/)) {
        for (const [j, value] of embeddingOf(word).entries()) row[j]! += value
      }
      const norm = Math.hypot(...row)
      for (const j of row.keys()) row[j]! /= norm
    }
    return {
      values,
      dimensions: this.dimensions,
      tokenCounts: Int32Array.from(sentences, () => 3),
      isTruncated: sentences.map(() => false),
      timings: { tokenizeMs: 0.25, queueMs: 0, inferenceMs: 1.5 }
    }
  }

  async encodeTokens(): Promise<Embeddings> {
    throw new Error('No mentor is asked in token ids')
  }
}

/** A server with mentors and classifiers, over a folder of its own. */
export interface MentorApp {
  readonly app: FastifyInstance
  readonly classifiers: Classifiers
  readonly encoder: WordsEncoder
  readonly backend: MemoryJobBackend
  readonly dataDir: string
  readonly metrics: Metrics
  readonly ask: (options: InjectOptions) => Promise<LightMyRequestResponse>
  readonly put: (mentor: string, csv: string) => Promise<LightMyRequestResponse>
  /** Begins to do trainings: until then all are queued. */
  readonly work: () => void
  /** Trains to the end, and gives the status of the job. */
  readonly train: (body: object) => Promise<TrainingStatus>
  readonly question: (mentor: string, query: string, more?: Record<string, string>) => Promise<LightMyRequestResponse>
}

export interface TrainingStatus {
  readonly id: string
  readonly status: string
  readonly progress: number
  readonly error?: string
  readonly result: {
    readonly version: number
    readonly encodedCount: number
    readonly sampleCount: number
    readonly promotion: { readonly outcome: string; readonly reason?: string }
  }
}

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mentors-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** @param dataDir of an app that shares its mentors with this one */
export async function openMentorApp(
  t: TestContext,
  env: Record<string, string> = {},
  dataDir?: string,
  encoder = new WordsEncoder()
): Promise<MentorApp> {
  const folder = dataDir ?? (await temporaryFolder(t))
  const backend = new MemoryJobBackend()
  const config = loadConfig({ DATA_DIR: folder, ...env })
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const metrics = createMetrics()
  const closing = new AsyncDisposableStack()
  const observer = metrics.predictionObserver
  const mentors = await openMentors(config, { jobs: backend, encoder, log, observer, closing })
  const { app } = await buildTestApp(t, env, {
    encoder,
    mentors: mentors.routes,
    classifiers: mentors.classifiers,
    inferenceModels: joinCatalogues([encoderCatalogue('all-MiniLM-L6-v2', encoder, config), mentors.inferenceModels])
  })
  const runner = new JobRunner({ backend, handlers: mentors.handlers, concurrency: 2, drainMs: 0 })
  t.after(async () => {
    await runner.stop()
    await closing.disposeAsync()
  })
  const ask = (options: InjectOptions): Promise<LightMyRequestResponse> =>
    app.inject({ ...options, headers: { ...AUTHORIZED, ...options.headers } })
  return {
    app,
    classifiers: mentors.classifiers.classifiers,
    encoder,
    backend,
    dataDir: folder,
    metrics,
    ask,
    put: (mentor, csv) =>
      ask({
        method: 'PUT',
        url: `/mentors/${mentor}`,
        payload: csv,
        headers: { 'content-type': 'text/csv; charset=utf-8' }
      }),
    work: () => runner.start(),
    async train(body) {
      runner.start()
      const reply = await ask({ method: 'POST', url: '/train', payload: body })
      assert.equal(reply.statusCode, 200, reply.body)
      const accepted: { data: { id: string; statusUrl: string } } = reply.json()
      await backend.waitUntilEnded(accepted.data.id, 30_000)
      const status: { data: TrainingStatus } = (await ask({ url: accepted.data.statusUrl })).json()
      return status.data
    },
    question: (mentor, query, more = {}) => ask({ url: '/questions', query: { mentor, query, ...more } })
  }
}

/** Headers of a user who may read some mentors. */
export async function bearer(...mentorIds: string[]): Promise<Record<string, string>> {
  const token = await new SignJWT({ id: 'user-1', role: 'USER', mentorIds })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(JWT_SECRET))
  return { authorization: `Bearer ${token}` }
}
