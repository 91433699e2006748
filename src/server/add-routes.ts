/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import type { FastifyError, FastifyInstance } from 'fastify'
import { addAuthentication, callerOf } from './auth.ts'
import { addRouteScopes, assertMayCall } from './callers/route-scopes.ts'
import { toOpenAiError } from './error-reply.ts'
import type { RepeatedReplies } from './repeated-replies.ts'
import { callerRoutes } from './routes/caller/caller-routes.ts'
import { classifierRoutes } from './routes/classifiers/classifier-routes.ts'
import { encodeRoutes } from './routes/encode/encode-routes.ts'
import { eventRoutes } from './routes/events/event-routes.ts'
import { followupRoutes } from './routes/followups/followup-routes.ts'
import { healthRoutes, pingRoutes } from './routes/health/health-routes.ts'
import { inferenceHealthRoutes } from './routes/inference/inference-health-routes.ts'
import { inferenceRoutes, toProtocolError } from './routes/inference/inference-routes.ts'
import { jobRoutes } from './routes/jobs/job-routes.ts'
import { mentorRoutes } from './routes/mentors/mentor-routes.ts'
import { openAiRoutes } from './routes/openai/openai-routes.ts'
import { questionRoutes } from './routes/questions/question-routes.ts'
import { reviewRoutes } from './routes/review/review-routes.ts'
import { similarityRoutes } from './routes/similarity/similarity-routes.ts'
import { tokenizeRoutes } from './routes/tokenize/tokenize-routes.ts'
import { trainRoutes } from './routes/train/train-routes.ts'
import { versionRoutes } from './routes/versions/mentor-version-routes.ts'
import { sendError } from './send-error.ts'
import type { AppDependencies } from './app-dependencies.ts'

/** Adds all routes except the docs pages and the playground. */
export async function addRoutes(
  app: FastifyInstance,
  dependencies: AppDependencies,
  repeatedReplies: Pick<RepeatedReplies, 'remember'>
): Promise<void> {
  const { config, observeAnswer = () => undefined } = dependencies
  const { guard } = addRouteScopes(app)
  await app.register(healthRoutes, { readiness: dependencies.readiness })
  await app.register(pingRoutes, { prefix: '/v1', containerId: dependencies.containerId })
  await app.register(inferenceHealthRoutes, { prefix: '/v2', readiness: dependencies.readiness })
  await app.register(async (api) => {
    api.addHook('onRoute', guard)
    await admitCallers(api, dependencies)
    const limits = { maxSentences: config.maxSentences, maxTextCharacters: config.maxTextCharacters }
    const { encoder, replyCache, tokenize, model } = dependencies
    await api.register(encodeRoutes, {
      prefix: '/v1',
      encoder,
      replyCache,
      repeatedReplies,
      limits,
      encodeMaxAgeSeconds: config.encodeMaxAgeSeconds
    })
    await api.register(similarityRoutes, { prefix: '/v1', encoder, limits })
    await api.register(callerRoutes, { prefix: '/v1' })
    if (dependencies.sampler !== undefined)
      await api.register(eventRoutes, { prefix: '/v1', sampler: dependencies.sampler })
    await api.register(tokenizeRoutes, { prefix: '/v1', tokenize, limits })
    if (dependencies.jobs !== undefined) await api.register(jobRoutes, { prefix: '/v1', ...dependencies.jobs })
    if (dependencies.mentors !== undefined) {
      await api.register(mentorRoutes, dependencies.mentors)
      await api.register(trainRoutes, dependencies.mentors)
      await api.register(versionRoutes, dependencies.mentors)
      await api.register(followupRoutes, dependencies.mentors)
      await api.register(reviewRoutes, { ...dependencies.mentors, limits })
      await api.register(questionRoutes, { ...dependencies.mentors, observeAnswer, limits })
    }
    if (dependencies.classifiers !== undefined) {
      await api.register(classifierRoutes, { prefix: '/v1', ...dependencies.classifiers, limits })
    }
    await api.register(async (openAi) => {
      openAi.setErrorHandler((error: FastifyError, request, reply) => {
        sendError(dependencies.reportError, error, request, reply, toOpenAiError)
      })
      await openAi.register(openAiRoutes, { prefix: '/v1', encoder, tokenize, limits, model })
    })
    await api.register(async (protocol) => {
      protocol.setErrorHandler((error: FastifyError, request, reply) => {
        sendError(dependencies.reportError, error, request, reply, toProtocolError)
      })
      await protocol.register(inferenceRoutes, {
        prefix: '/v2',
        models: dependencies.inferenceModels,
        jsonLimits: config
      })
    })
  })
}

/** Adds the checks of routes that need a key: the caller is known and may call the route, and there is memory. */
async function admitCallers(api: FastifyInstance, { authenticate, memory }: AppDependencies): Promise<void> {
  await addAuthentication(api, authenticate)
  api.addHook('onRequest', (request, reply, done) => {
    assertMayCall(callerOf(request), request, (name, value) => reply.header(name, value))
    done()
  })
  api.addHook('onRequest', (_request, _reply, done) => {
    memory?.assertMayTake()
    done()
  })
}
