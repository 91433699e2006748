/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { PassThrough } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { ERROR_REPLIES } from '../../encode-reply.ts'
import type { ServiceSampler } from '../../service-sampler.ts'

/** Options of the events. */
export interface EventRouteOptions {
  readonly sampler: ServiceSampler
}

/** A listener that has not taken this much is cut off: it would be told of the past. */
const MAX_UNREAD_BYTES = 65_536

const Mean = Type.Union([Type.Number(), Type.Null()])
const Sample = Type.Object({
  atMs: Type.Integer({ description: 'Milliseconds since 1970.' }),
  requestsPerSecond: Type.Number(),
  sentencesPerSecond: Type.Number(),
  batchesPerSecond: Type.Number(),
  meanMs: Type.Object(
    { request: Mean, tokenize: Mean, queue: Mean, inference: Mean },
    { description: 'Means of the second; null when there was nothing to measure.' }
  ),
  sentencesPerBatch: Mean,
  cacheHitShare: Type.Union([Type.Number(), Type.Null()], {
    description: 'Share of the replies to encodings of one text that were kept.'
  }),
  waitingSentences: Type.Integer(),
  residentBytes: Type.Integer(),
  memoryLimitBytes: Type.Integer(),
  jobs: Type.Union([
    Type.Object({ queued: Type.Integer(), running: Type.Integer(), dead: Type.Integer() }),
    Type.Null()
  ])
})

/** One of the events, as OpenAPI describes the fields of its lines. */
const SampleEvent = Type.Object({
  data: Type.Unsafe<string>({ type: 'string', contentMediaType: 'application/json', contentSchema: Sample })
})

/** `/v1/events`: how the service fares, once a second. */
export const eventRoutes: FastifyPluginAsyncTypebox<EventRouteOptions> = async (app, { sampler }) => {
  const streams = new Set<PassThrough>()
  // A stream never ends by itself, and would be waited for.
  app.addHook('preClose', async () => {
    for (const stream of streams) stream.end()
  })

  app.get(
    '/events',
    {
      config: { scope: 'encode' },
      schema: {
        summary: 'Watch the service',
        description:
          'Streams how the service fares as server-sent events, one `data:` line of JSON a second: throughput, latency by its ' +
          'parts, batches, cache, queue and memory of this process. Without `count` it goes on until the caller leaves.',
        tags: ['operations'],
        querystring: Type.Object({
          count: Type.Optional(
            Type.String({
              pattern: '^[1-9][0-9]{0,4}$',
              description: 'How many samples are sent, 1 to 99999.',
              examples: ['1']
            })
          )
        }),
        response: {
          200: {
            description: 'The samples.',
            content: { 'text/event-stream': { schema: SampleEvent } }
          },
          ...ERROR_REPLIES
        }
      }
    },
    (request, reply) => {
      void reply
        .header('cache-control', 'no-store')
        // Some proxies else keep events until they have enough of them.
        .header('x-accel-buffering', 'no')
        .type('text/event-stream; charset=utf-8')
      // The body of an answer to HEAD is read to its end, which never comes.
      if (request.method === 'HEAD') return reply.send()
      const stream = streamSamples(sampler, Number(request.query.count ?? 'Infinity'))
      streams.add(stream)
      stream.once('close', () => streams.delete(stream))
      return reply.send(stream)
    }
  )
}

/** So many samples as server-sent events. A listener that does not take them is cut off. */
function streamSamples(sampler: ServiceSampler, count: number): PassThrough {
  let left = count
  const stream = new PassThrough({ highWaterMark: MAX_UNREAD_BYTES })
  const forget = sampler.listen((sample) => {
    left -= 1
    const isTaken = stream.write(`data: ${JSON.stringify(sample)}\n\n`)
    if (left <= 0) stream.end()
    else if (!isTaken) stream.destroy()
  })
  stream.once('close', forget)
  return stream
}
