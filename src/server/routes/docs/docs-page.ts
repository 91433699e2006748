/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import type { Headers } from '../../secure-headers.ts'

/** Collects the schemas of all routes registered after it. */
export async function addOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'sbert-service',
        description: 'Turns sentences into embeddings and questions into answers.',
        version: '1',
        license: { name: 'MIT', identifier: 'MIT' }
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'encode', description: 'Texts to embeddings.' },
        { name: 'similarity', description: 'How alike texts are.' },
        { name: 'openai', description: 'The same for OpenAI clients.' },
        { name: 'inference', description: 'Every model by the Open Inference Protocol, version 2.' },
        { name: 'health', description: 'Whether all is well.' }
      ],
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: 'A key of `API_SECRET_KEY`, or a JWT signed by `JWT_SECRET_KEY`.'
          }
        }
      },
      security: [{ bearer: [] }]
    },
    // Without this the names of shared schemas become def-0, def-1, …
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) =>
        typeof json['$id'] === 'string' ? json['$id'] : `schema-${index}`
    }
  })
}

/** A description of the API as it is sent. */
interface PreparedDocument {
  readonly contentType: string
  readonly bytes: Buffer
}

/** `/docs`, a page to read and try the API, and `/docs/json`: open to everyone, for they hold nothing but the API's shape. */
export async function addDocsPage(app: FastifyInstance, headers: Headers): Promise<void> {
  await app.register(async (docs) => {
    const prepared = new Map<string, PreparedDocument>()
    // Once all routes are there. Made anew for each request, it would take a hundred times as long as sending it.
    app.addHook('onReady', async () => {
      const json = Buffer.from(JSON.stringify(app.swagger()))
      prepared.set('/docs/json', { contentType: 'application/json; charset=utf-8', bytes: json })
      prepared.set('/docs/yaml', { contentType: 'application/x-yaml', bytes: Buffer.from(app.swagger({ yaml: true })) })
    })
    docs.addHook('onRequest', (request, reply, done) => {
      void reply.headers(headers)
      const document = prepared.get(request.routeOptions.url ?? '')
      if (document === undefined) done()
      else void reply.type(document.contentType).send(document.bytes)
    })
    // Whoever uses the page next, or a script that gets into it, would find a key that is kept.
    await docs.register(swaggerUi, { routePrefix: '/docs', uiConfig: { persistAuthorization: false } })
  })
}
