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
  /** Output folder of `npm run build-web`; it need not exist. */
  readonly folder: string
  readonly headers: Headers
}

/** Cache lifetime of assets: a year, the customary maximum. */
const ASSET_MAX_AGE_MS = 365 * 24 * 3600 * 1000

/** Routes of `/playground`: the web app, open to everyone, since it holds no data. It calls the API with its user's key. */
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
  // One route for each file that exists at the start, so that no other path reaches the disk.
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
    // Revalidated each time, mostly with 304, since it names the newest files.
    return reply.header('cache-control', 'no-cache').sendFile('index.html', folder, { cacheControl: false })
  })
}

/** Whether a browser asks for a page, so that `/` redirects it to the playground. */
export function wantsPage(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('text/html') === true
}
