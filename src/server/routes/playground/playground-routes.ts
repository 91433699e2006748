/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { ServiceError } from '../../../errors.ts'
import { declareOpen } from '../../callers/route-scopes.ts'
import type { Headers } from '../../secure-headers.ts'

/** Options of the playground. */
export interface PlaygroundOptions {
  /** What `npm run build-web` has built; it need not exist. */
  readonly folder: string
  readonly headers: Headers
}

/** A year, the longest that means anything to a cache. */
const ASSET_MAX_AGE_MS = 365 * 24 * 3600 * 1000

/** `/playground`: the web app, open to everyone, for it holds no data. It asks the API with the key of whoever uses it. */
export const playgroundRoutes: FastifyPluginAsync<PlaygroundOptions> = async (app, { folder, headers }) => {
  app.addHook('onRoute', declareOpen)
  app.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(headers)
    done()
  })
  if (!existsSync(join(folder, 'index.html'))) {
    app.get('/playground', { schema: { hide: true } }, () => {
      throw new ServiceError('NOT_FOUND', 'Cannot show the playground: it is not built; `npm run build-web` builds it')
    })
    return
  }
  // A route for each file that there is at the start: no other path reaches the disk.
  await app.register(fastifyStatic, {
    root: join(folder, 'assets'),
    prefix: '/playground/assets/',
    wildcard: false,
    globIgnore: ['**/*.{br,gz}'],
    index: false,
    preCompressed: true,
    immutable: true,
    maxAge: ASSET_MAX_AGE_MS
  })
  app.get('/playground', { schema: { hide: true } }, (_request, reply) => {
    // Names the newest files, so it is asked for anew each time; mostly the answer is 304.
    return reply.header('cache-control', 'no-cache').sendFile('index.html', folder, { cacheControl: false })
  })
}

/** Whether a request is a browser's for a page: then `/` shows it the playground. */
export function wantsPage(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('text/html') === true
}
