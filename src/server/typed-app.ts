/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'

/** The server in a plugin, whose requests and replies have the types of their schemas. */
export type TypedApp = Parameters<FastifyPluginAsyncTypebox>[0]
