/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// What a Node developer would write: Fastify and transformers.js, which computes on the main thread.
// The bench copies this file beside the packages that it installs for it.

import { env, pipeline } from '@huggingface/transformers'
import Fastify from 'fastify'

env.allowRemoteModels = false
env.localModelPath = process.env.MODELS_PATH
const dtype = process.env.DTYPE
const extract = await pipeline('feature-extraction', process.env.MODEL_NAME, dtype ? { dtype } : {})

const app = Fastify()
const querystring = { type: 'object', required: ['query'], properties: { query: { type: 'string', minLength: 1 } } }
app.get('/v1/encode', { schema: { querystring } }, async ({ query: { query } }) => {
  const embedding = await extract(query, { pooling: 'mean', normalize: true })
  return { query, encoding: Array.from(embedding.data) }
})
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
