/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { ClassifierList, PredictReply } from '../../../src/server/routes/classifiers/classifier-replies.ts'
import { ask } from '../service/ask.ts'
import { withJson, type ServiceRequest } from '../service/service-request.ts'

export type ClassifierListing = ClassifierList['data'][number]

/** The address of a classifier. */
export function classifierPath(name: string): string {
  return `/v1/classifiers/${encodeURIComponent(name)}`
}

export async function listClassifiers(): Promise<readonly ClassifierListing[]> {
  return (await ask<ClassifierList>({ method: 'GET', path: '/v1/classifiers' })).data.data
}

/** A call that trains from a table. */
export function trainingRequest(name: string, table: string, contentType: string): ServiceRequest {
  return { method: 'POST', path: `${classifierPath(name)}/train`, body: table, contentType }
}

export async function deleteClassifier(name: string): Promise<void> {
  await ask({ method: 'DELETE', path: classifierPath(name) })
}

/** A row to predict, by column. */
export type Row = Readonly<Record<string, string | number>>

export interface Prediction {
  readonly predicted: PredictReply['class'][number]
  /** The likeliest classes, when the model has probabilities. */
  readonly ranked: NonNullable<PredictReply['top_k']>[number]
  readonly durationMs: number
}

const TOP_COUNT = '5'

/** Predicts the class of one row. */
export async function predict(name: string, row: Row): Promise<Prediction> {
  const columns = Object.fromEntries(Object.entries(row).map(([column, value]) => [column, [value]]))
  const path = `${classifierPath(name)}/predict?${new URLSearchParams({ top_k: TOP_COUNT }).toString()}`
  const { data, durationMs } = await ask<PredictReply>(withJson('POST', path, columns))
  return { predicted: data.class[0] ?? '', ranked: data.top_k?.[0] ?? [], durationMs }
}
