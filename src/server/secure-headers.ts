/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import helmet, { type FastifyHelmetOptions } from '@fastify/helmet'
import Fastify from 'fastify'

/** Headers of API replies, which are data: browsers must not run them, frame them or guess another type. */
const API_HEADERS: FastifyHelmetOptions = {
  contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  xFrameOptions: { action: 'deny' },
  // These protect documents and downloads, which the API does not have.
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  referrerPolicy: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false
}

/** Headers of the docs page, which has its own scripts and styles; some styles of Swagger UI are inline. */
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
 * Headers of the playground, which has no inline scripts or styles and only calls its own service. Media of a mentor's answers
 * may be anywhere.
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

/** Computes the security headers of API replies, the docs page and the playground. */
export async function secureHeaders(): Promise<{ api: Headers; docs: Headers; playground: Headers }> {
  const [api, docs, playground] = await Promise.all([
    headersOf(API_HEADERS),
    headersOf(DOCS_HEADERS),
    headersOf(PLAYGROUND_HEADERS)
  ])
  return { api, docs, playground }
}

/**
 * Gets the headers that helmet sets. As a plugin it would compute the same headers for every request, in two asynchronous
 * hooks; computed once, they cost a reply only their bytes.
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
