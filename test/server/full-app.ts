/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { jobRouteOptions } from '../../src/app/jobs.ts'
import { openMentors } from '../../src/app/mentors.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { encoderCatalogue } from '../../src/inference/encoder-model.ts'
import { joinCatalogues } from '../../src/inference/inference-model.ts'
import { MemoryJobBackend } from '../../src/jobs/memory-job-backend.ts'
import { ReadingLine, readingLimitsOf } from '../../src/reading/reading-line.ts'
import { createAuthenticator } from '../../src/server/auth.ts'
import { digestOf, type ApiKey } from '../../src/server/callers/key-file.ts'
import { KeyRing } from '../../src/server/callers/key-ring.ts'
import { allScopes, type Scope } from '../../src/server/callers/scope.ts'
import { ServiceSampler } from '../../src/server/service-sampler.ts'
import { temporaryFolder, WordsEncoder } from './mentor-app.ts'
import { API_KEY, buildTestApp, JWT_SECRET, type TestApp } from './test-app.ts'

/** An app with every area and keys of a file. */
export interface FullApp extends TestApp {
  readonly backend: MemoryJobBackend
  readonly keyRing: KeyRing
}

/** Opens the app with all routes that there are, over a folder of its own. */
export async function openFullApp(t: TestContext, keys: readonly ApiKey[]): Promise<FullApp> {
  const config = loadConfig({ DATA_DIR: await temporaryFolder(t) })
  const backend = new MemoryJobBackend()
  const encoder = new WordsEncoder()
  const keyRing = new KeyRing()
  keyRing.replace(keys)
  const closing = new AsyncDisposableStack()
  t.after(() => closing.disposeAsync())
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const line = new ReadingLine(readingLimitsOf(config))
  const mentors = await openMentors(config, { jobs: backend, encoder, log, line, closing })
  const playgroundFolder = await temporaryFolder(t)
  await mkdir(join(playgroundFolder, 'assets'))
  for (const name of ['index.html', 'assets/one']) await writeFile(join(playgroundFolder, name), '')
  const opened = await buildTestApp(
    t,
    {},
    {
      authenticate: createAuthenticator({ apiSecretKey: [API_KEY], jwtSecretKey: [JWT_SECRET], keyRing }),
      encoder,
      playgroundFolder,
      // Events never end, so a test of all routes may not listen to them.
      sampler: new ServiceSampler({ read: async () => [], maxListeners: 0 }),
      jobs: jobRouteOptions(config, backend, line),
      mentors: mentors.routes,
      classifiers: mentors.classifiers,
      inferenceModels: joinCatalogues([encoderCatalogue('all-MiniLM-L6-v2', encoder, config), mentors.inferenceModels])
    }
  )
  await opened.app.ready()
  return { ...opened, backend, keyRing }
}

/** A key with these scopes that is called by its own text. */
export function keyOf(key: string, scopes: readonly Scope[], more: Partial<ApiKey> = {}): ApiKey {
  return { name: key, sha256: digestOf(key), scopes: allScopes(scopes), ...more }
}

/** The header of a caller with a key or token. */
export function bearerOf(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` }
}
