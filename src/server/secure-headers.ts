/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import helmet, { type FastifyHelmetOptions } from '@fastify/helmet'
import Fastify from 'fastify'

/** Replies of the API are data: nothing in them may be run, framed or guessed to be another type. */
const API_HEADERS: FastifyHelmetOptions = {
  contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  xFrameOptions: { action: 'deny' },
  // These guard documents and downloads, which the API has none of.
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  referrerPolicy: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false
}

/** The docs page runs its own scripts and styles; the styles of Swagger UI are partly inline. */
const DOCS_HEADERS: FastifyHelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      baseUri: ["'self'"],
      frameAncestors: ["'none'"],
      imgSrc: ["'self'", 'data:'],
      objectSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"]
    }
  }
}

/**
 * The playground has no inline script or style, and asks only the service that it comes from. A mentor's answers may have
 * media anywhere.
 */
const PLAYGROUND_HEADERS: FastifyHelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      baseUri: ["'none'"],
      connectSrc: ["'self'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
      imgSrc: ["'self'"],
      mediaSrc: ['https:', 'http:'],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"]
    }
  }
}

/** Headers by name. */
export type Headers = Readonly<Record<string, string>>

/** The secure headers of API replies, of the docs page and of the playground. */
export async function secureHeaders(): Promise<{ api: Headers; docs: Headers; playground: Headers }> {
  const [api, docs, playground] = await Promise.all([
    headersOf(API_HEADERS),
    headersOf(DOCS_HEADERS),
    headersOf(PLAYGROUND_HEADERS)
  ])
  return { api, docs, playground }
}

/**
 * What helmet would set on each reply. It computes the same headers anew for every request, in two asynchronous hooks;
 * asked once, here, they cost a reply nothing but their bytes.
 */
async function headersOf(options: FastifyHelmetOptions): Promise<Headers> {
  const probe = Fastify()
  await probe.register(helmet, options)
  probe.get('/', () => '')
  const reply = await probe.inject('/')
  await probe.close()
  const own = new Set(['content-type', 'content-length', 'date', 'connection'])
  const entries = Object.entries(reply.headers).filter(([name]) => !own.has(name))
  return Object.freeze(Object.fromEntries(entries.map(([name, value]) => [name, String(value)])))
}
