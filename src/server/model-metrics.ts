/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { LRUCache } from 'lru-cache'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { ConfidenceDrift } from '../learning/confidence-drift.ts'
import type { ObservedVersion, PredictionObserver } from '../versions/prediction-observer.ts'

/** Maximum number of versions with series; those of the least recently used version are removed. */
const MAX_VERSIONS = 100
/** Number of classes of a version with their own series: the first that it predicted. All others share one. */
const MAX_CLASSES = 20
const OTHER_CLASSES = '(other)'
const MAX_LABEL_CHARACTERS = 100

const CHARACTER_BUCKETS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000]
const CONFIDENCE_BUCKETS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1]

const LABEL_NAMES = ['model', 'version'] as const

/** State of a version with series. */
interface Watched {
  readonly labels: { readonly model: string; readonly version: string }
  readonly classes: Set<string>
  /** Undefined until the confidences of its training have been read. */
  drift: ConfidenceDrift | undefined
}

/** Adds the metrics of models (docs/metrics.md). The number of series is bounded, whatever is asked. */
export function addModelMetrics(registry: Registry): PredictionObserver {
  const { characters, predictions, confidences } = addPredictionMetrics(registry)
  const versions = new LRUCache<string, Watched>({
    max: MAX_VERSIONS,
    dispose({ labels, classes }) {
      characters.remove(labels)
      confidences.remove(labels)
      for (const name of classes) predictions.remove({ ...labels, class: name })
    }
  })
  addDriftMetric(registry, versions)

  return {
    predicted(version, observed, readTrainingBins) {
      const watched = versions.get(keyOf(version)) ?? watch(version, readTrainingBins)
      const { labels, classes, drift } = watched
      for (const { inputCharacters, classId, confidence } of observed) {
        const known = classId.slice(0, MAX_LABEL_CHARACTERS)
        const name = classes.has(known) || classes.size < MAX_CLASSES ? known : OTHER_CLASSES
        classes.add(name)
        predictions.inc({ ...labels, class: name })
        confidences.observe(labels, confidence)
        if (inputCharacters !== undefined) characters.observe(labels, inputCharacters)
        drift?.add(confidence)
      }
    }
  }

  function watch(version: ObservedVersion, readTrainingBins: Parameters<PredictionObserver['predicted']>[2]): Watched {
    const labels = { model: version.name.slice(0, MAX_LABEL_CHARACTERS), version: String(version.version) }
    const watched: Watched = { labels, classes: new Set(), drift: undefined }
    versions.set(keyOf(version), watched)
    void readTrainingBins()
      // Predictions go on without drift; reading the report itself shows the error.
      .catch(() => undefined)
      .then((bins) => (watched.drift = bins && new ConfidenceDrift(bins)))
    return watched
  }
}

/** Adds the metrics of single predictions. */
function addPredictionMetrics(registry: Registry) {
  const registers = [registry]
  const characters = new Histogram({
    name: 'sbert_model_input_characters',
    help: 'Characters of the texts of one prediction.',
    labelNames: LABEL_NAMES,
    buckets: CHARACTER_BUCKETS,
    registers
  })
  const predictions = new Counter({
    name: 'sbert_model_predictions_total',
    help: 'Predictions of each class.',
    labelNames: [...LABEL_NAMES, 'class'] as const,
    registers
  })
  const confidences = new Histogram({
    name: 'sbert_model_confidence',
    help: 'Confidence in the class predicted.',
    labelNames: LABEL_NAMES,
    buckets: CONFIDENCE_BUCKETS,
    registers
  })
  return { characters, predictions, confidences }
}

/** Adds the metric of each version's confidence drift, as far as it is known. */
function addDriftMetric(registry: Registry, versions: LRUCache<string, Watched>): void {
  registry.registerMetric(
    new Gauge({
      name: 'sbert_model_confidence_drift',
      help: 'Population stability index of the last confidences against those of the training folds.',
      labelNames: LABEL_NAMES,
      registers: [],
      collect() {
        this.reset()
        for (const { labels, drift } of versions.values()) {
          const index = drift?.stabilityIndex
          if (index !== undefined) this.set(labels, index)
        }
      }
    })
  )
}

function keyOf({ name, version }: ObservedVersion): string {
  return `${version} ${name}`
}
