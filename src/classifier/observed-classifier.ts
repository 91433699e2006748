/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FeatureTable } from '../table/feature-table.ts'
import type { ModelStore, ModelVersion } from '../versions/model-store.ts'
import type { PredictionObserver } from '../versions/prediction-observer.ts'
import { readTrainingBins } from '../versions/version-report.ts'
import type { Classifier, PredictOptions, Predictions } from './classifier.ts'

/** A classifier that reports its predictions to an observer. */
export class ObservedClassifier implements Classifier {
  readonly #name: string
  readonly #classifier: Classifier
  readonly #models: Pick<ModelStore, 'report'>
  readonly #observer: PredictionObserver

  /** @param name name in the model store */
  constructor(name: string, classifier: Classifier, models: Pick<ModelStore, 'report'>, observer: PredictionObserver) {
    this.#name = name
    this.#classifier = classifier
    this.#models = models
    this.#observer = observer
  }

  get version(): ModelVersion {
    return this.#classifier.version
  }

  get classIds(): readonly string[] {
    return this.#classifier.classIds
  }

  async predict(table: FeatureTable, options: PredictOptions): Promise<Predictions> {
    const predictions = await this.#classifier.predict(table, options)
    const { version, signature } = this.version
    const texts = signature.features.flatMap(({ name, type }) =>
      type === 'text' ? [table.columns.get(name) ?? []] : []
    )
    this.#observer.predicted(
      { name: this.#name, version },
      predictions.rows.map(({ classId, confidence }, row) => ({
        inputCharacters:
          texts.length === 0 ? undefined : texts.reduce((sum, column) => sum + String(column[row]).length, 0),
        classId,
        confidence
      })),
      async () => readTrainingBins(this.#models, this.#name, version)
    )
    return predictions
  }
}
