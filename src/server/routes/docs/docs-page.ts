/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { declareOpen } from '../../callers/route-scopes.ts'
import type { Headers } from '../../secure-headers.ts'
import { describedOf, withOptionalBodies } from './describe-operation.ts'
import { LOGO_SVG, MARK_SVG } from './mark.ts'

const TITLE = 'sbert-service'

/** Introduction of the page. */
const INTRODUCTION = `Turns sentences into embeddings, and questions into answers of recorded people.

**Authorize** with the key that the service printed at its start, or with one of \`API_KEYS_FILE\` or \`API_SECRET_KEY\`. This page forgets it when it is left.
Then open an operation and press **Try it out** and **Execute**: its example works as it stands. The groups follow one another as a user
goes: store a mentor before you train it, train it before you ask it.`

/** Groups of operations, in the order in which a user needs them. */
const TAGS = [
  { name: 'encode', description: 'Texts to embeddings.' },
  { name: 'similarity', description: 'How alike texts are.' },
  { name: 'mentors', description: 'Recorded people: their questions, paraphrases and answers.' },
  { name: 'train', description: 'Train a mentor’s model, once the mentor is stored.' },
  { name: 'questions', description: 'Ask a mentor, once its model is trained, and find out what to ask next.' },
  { name: 'review', description: 'Questions that matched no stored phrase, and people’s decisions on them.' },
  {
    name: 'mentor versions',
    description: 'The trained models of a mentor: evaluate, compare, promote, roll back, move.'
  },
  { name: 'classifiers', description: 'Any table with a column of labels as a trained model.' },
  {
    name: 'classifier versions',
    description: 'The trained models of a classifier, and models that were trained elsewhere.'
  },
  { name: 'jobs', description: 'Work that takes longer than a request should wait.' },
  { name: 'openai', description: 'Embeddings for clients of OpenAI’s API.' },
  { name: 'inference', description: 'Every model by the Open Inference Protocol, version 2 (KServe, Triton).' },
  { name: 'caller', description: 'Who is calling, and what it may do.' },
  { name: 'operations', description: 'Health, for load balancers and monitors. No key is needed.' }
]

/** Registers the generator of the OpenAPI document, which covers all routes registered after it. */
export async function addOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: TITLE,
        description: INTRODUCTION,
        version: '1',
        license: { name: 'MIT', identifier: 'MIT' }
      },
      servers: [{ url: '/' }],
      tags: TAGS,
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: 'A key of `API_KEYS_FILE` or `API_SECRET_KEY`, or a JWT signed by `JWT_SECRET_KEY`.'
          }
        }
      },
      security: [{ bearer: [] }]
    },
    transform: ({ schema, url, route }) => ({ schema: describedOf(schema, route.config?.scope), url }),
    transformObject: withOptionalBodies,
    // Without this the names of shared schemas become def-0, def-1, …
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) =>
        typeof json['$id'] === 'string' ? json['$id'] : `schema-${index}`
    }
  })
}

/** Hides the field for another API's address. */
const PAGE_CSS =
  '.swagger-ui .topbar .download-url-wrapper { display: none } .swagger-ui .topbar-wrapper { justify-content: space-between }'

/** The finished bytes of an OpenAPI document. */
interface PreparedDocument {
  readonly contentType: string
  readonly bytes: Buffer
}

/** Adds `/docs`, a page to read and try the API, and `/docs/json`: open to everyone, since they only describe the API. */
export async function addDocsPage(app: FastifyInstance, headers: Headers): Promise<void> {
  await app.register(async (docs) => {
    const prepared = new Map<string, PreparedDocument>()
    docs.addHook('onRoute', declareOpen)
    // Made once, when all routes are registered: making it takes a hundred times as long as sending it.
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
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      uiConfig: {
        // A stored key could be read by the page's next user or an injected script.
        persistAuthorization: false,
        displayRequestDuration: true,
        // Hides the list of schemas, since only the one of errors has a name.
        defaultModelsExpandDepth: -1
      },
      logo: { type: 'image/svg+xml', content: LOGO_SVG },
      theme: {
        title: TITLE,
        favicon: [{ filename: 'mark.svg', rel: 'icon', sizes: 'any', type: 'image/svg+xml', content: MARK_SVG }],
        css: [{ filename: 'page.css', content: PAGE_CSS }]
      }
    })
  })
}
