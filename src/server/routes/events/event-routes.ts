/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { PassThrough } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { documentOnly, ERROR_REPLIES } from '../../encode-reply.ts'
import type { ServiceSampler } from '../../service-sampler.ts'
import { Sample } from './sample-reply.ts'

/** Options of the event route. */
export interface EventRouteOptions {
  readonly sampler: ServiceSampler
}

/** Unread bytes at which a slow listener is disconnected, since its events would be out of date. */
const MAX_UNREAD_BYTES = 65_536

/** Schema of an event. */
const SampleEvent = Type.Object({
  data: Type.Unsafe<string>({ type: 'string', contentMediaType: 'application/json', contentSchema: Sample })
})

/** Route `/v1/events`: streams samples of the service's metrics, one a second. */
export const eventRoutes: FastifyPluginAsyncTypebox<EventRouteOptions> = async (app, { sampler }) => {
  const streams = new Set<PassThrough>()
  // A stream never ends by itself, and the server would wait for it.
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
          'Streams metrics as server-sent events, one `data:` line of JSON a second: throughput, latency by its parts, batches, cache, queue and ' +
          'memory of this process. Without `count` the stream continues until the caller disconnects.',
        tags: ['operations'],
        querystring: Type.Object({
          count: Type.Optional(
            Type.String({
              pattern: '^[1-9][0-9]{0,4}$',
              description: 'Number of samples to send, 1 to 99999.',
              examples: ['1']
            })
          )
        }),
        response: {
          200: {
            description: 'The samples.',
            content: { 'text/event-stream': { schema: documentOnly(SampleEvent) } }
          },
          ...ERROR_REPLIES
        }
      }
    },
    (request, reply) => {
      void reply
        .header('cache-control', 'no-store')
        // Without it, some proxies buffer events.
        .header('x-accel-buffering', 'no')
        .type('text/event-stream; charset=utf-8')
      // For HEAD, Fastify would read the stream to its end, which never comes.
      if (request.method === 'HEAD') return reply.send()
      const stream = streamSamples(sampler, Number(request.query.count ?? 'Infinity'))
      streams.add(stream)
      stream.once('close', () => streams.delete(stream))
      return reply.send(stream)
    }
  )
}

/** Streams `count` samples as server-sent events. A listener that does not read them is disconnected. */
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
