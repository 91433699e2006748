/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { DiffReply, TrainingReport } from '../../../src/server/routes/versions/evaluation-reply.ts'
import type { VersionList as ListReply } from '../../../src/server/routes/versions/version-replies.ts'
import { ask, askQuietly, send } from '../service/ask.ts'
import { withJson, type ServiceRequest } from '../service/service-request.ts'
import { showCall } from '../service/shown-call.ts'

export type VersionList = ListReply['data']
export type ModelVersion = VersionList['versions'][number]

export type Column = ModelVersion['signature']['label']

export type EvaluationReport = TrainingReport['data']
export type Evaluation = EvaluationReport['evaluation']
export type JudgedError = Evaluation['errors'][number]
export type CurvePoint = Evaluation['offTopicCurve'][number]

/** What a mentor's owner asks of its off-topic threshold: a share of questions, 0.01 to 0.99. */
export type OffTopicBound = NonNullable<EvaluationReport['offTopicBound']>

export type VersionDiff = DiffReply['data']

/** Versions of a model that has none yet are an empty list. */
export async function readVersions(path: string): Promise<VersionList> {
  return (await askQuietly<ListReply>({ method: 'GET', path: `${path}/versions` })).data.data
}

export async function readEvaluation(path: string, version: number | 'live'): Promise<EvaluationReport> {
  const request: ServiceRequest = { method: 'GET', path: `${path}/versions/${version}/evaluation` }
  return (await ask<TrainingReport>(request)).data.data
}

/** What is better and worse in one version than in another. */
export async function readDiff(path: string, from: number, to: number): Promise<VersionDiff> {
  const request: ServiceRequest = { method: 'GET', path: `${path}/versions/${from}/diff/${to}` }
  return (await ask<DiffReply>(request)).data.data
}

/** Makes a version live, whether or not it is worse than the one that is. */
export async function promote(path: string, version: number): Promise<void> {
  await ask(withJson('POST', `${path}/versions/${version}/promote`, { force: true }))
}

export async function rollBack(path: string): Promise<void> {
  await ask({ method: 'POST', path: `${path}/rollback` })
}

/** A version's model file, as another service takes it. */
export async function exportVersion(path: string, version: number): Promise<Blob> {
  const request: ServiceRequest = { method: 'GET', path: `${path}/versions/${version}/export` }
  showCall(request)
  return (await send(request)).blob()
}
