/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { signal } from '@preact/signals'
import { train, type AcceptedTraining } from '../versions/training.ts'
import { classifierPath, trainingRequest } from './classifier-calls.ts'

/** How the tables of this visit were understood, by classifier. */
export const understood = signal<Readonly<Record<string, AcceptedTraining>>>({})

/** Starts a training; what came of it is told by the classifier's path. */
export async function trainFromTable(name: string, table: string, fileName: string): Promise<void> {
  const contentType = fileName.endsWith('.json') ? 'application/json' : 'text/csv'
  const { accepted } = await train(classifierPath(name), trainingRequest(name, table, contentType))
  understood.value = { ...understood.value, [name]: accepted }
}
