/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Classifier } from '../classifier/classifier.ts'
import type { Classifiers } from '../classifier/classifiers.ts'
import { readFeatureColumns, type PredictLimits } from '../table/feature-columns.ts'
import {
  classifierModelName,
  classifierOfModelName,
  mentorModelName,
  mentorOfModelName
} from '../versions/model-name.ts'
import type { ModelStore } from '../versions/model-store.ts'
import type { Inference, InferenceModel, InferenceResult, ModelCatalogue, ServedModel } from './inference-model.ts'
import type { Tensor, TensorSpec } from './tensor.ts'

/** Dependencies of {@link storedModelsCatalogue}. */
export interface StoredModelsDependencies {
  readonly models: Pick<ModelStore, 'names' | 'versions'>
  readonly classifiers: Classifiers
  readonly limits: PredictLimits
}

/** Prefix of a mentor's id; names of classifiers have no colon. */
const MENTOR_PREFIX = 'mentor:'

/** Catalogue of all versions of classifiers, by name, and of mentors' models, as `mentor:<id>`. */
export function storedModelsCatalogue({ models, classifiers, limits }: StoredModelsDependencies): ModelCatalogue {
  return {
    async find(name) {
      const mentorId = name.startsWith(MENTOR_PREFIX) ? name.slice(MENTOR_PREFIX.length) : undefined
      const storedName = mentorId === undefined ? classifierModelName(name) : mentorModelName(mentorId)
      const versionsOf = async () => (await models.versions(storedName)).map(({ version }) => String(version))
      if ((await versionsOf()).length === 0) return undefined
      return {
        name,
        access: mentorId === undefined ? { kind: 'classifier' } : { kind: 'mentor', mentorId },
        versions: versionsOf,
        async open(version) {
          if (version !== undefined && !/^[1-9]\d{0,8}$/.test(version)) return undefined
          const number = version === undefined ? undefined : Number(version)
          const classifier =
            mentorId === undefined
              ? await classifiers.open(name, number)
              : await classifiers.openMentor(mentorId, number)
          return new ClassifierTensors(name, classifier, limits)
        }
      } satisfies ServedModel
    },
    async names() {
      return (await models.names()).flatMap((name) => {
        const mentorId = mentorOfModelName(name)
        const shown = mentorId === undefined ? classifierOfModelName(name) : MENTOR_PREFIX + mentorId
        return shown === undefined ? [] : [shown]
      })
    }
  }
}

/**
 * A classifier as tensors: one input for each feature of its signature; outputs `class` and its probability or
 * confidence.
 */
class ClassifierTensors implements InferenceModel {
  readonly name: string
  readonly platform: string
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
  readonly #classifier: Classifier
  readonly #limits: PredictLimits

  constructor(name: string, classifier: Classifier, limits: PredictLimits) {
    const { architecture, signature } = classifier.version
    this.name = name
    this.platform = architecture === 'onnx' ? 'onnxruntime_onnx' : `sbert-service_${architecture}`
    this.#classifier = classifier
    this.#limits = limits
    this.inputs = signature.features.map(({ name: column, type }) => ({
      name: column,
      datatype: type === 'text' ? 'BYTES' : 'FP64',
      shape: [-1]
    }))
    this.outputs = [
      { name: 'class', datatype: signature.label.type === 'text' ? 'BYTES' : 'FP64', shape: [-1] },
      // The decision scores of `ridge` are not probabilities.
      { name: architecture === 'ridge' ? 'confidence' : 'probability', datatype: 'FP64', shape: [-1] },
      { name: 'off_topic', datatype: 'BOOL', shape: [-1] }
    ]
  }

  get version(): string {
    return String(this.#classifier.version.version)
  }

  async infer({ inputs, options }: Inference): Promise<InferenceResult> {
    const { signature } = this.#classifier.version
    const columns = Object.fromEntries(Array.from(inputs, ([column, { data }]) => [column, Array.from<unknown>(data)]))
    const table = readFeatureColumns(columns, signature, this.#limits)
    const { rows, timings } = await this.#classifier.predict(table, options)
    const shape = [rows.length]
    const classIds = rows.map(({ classId }) => classId)
    const classes: Tensor =
      signature.label.type === 'text'
        ? { name: 'class', datatype: 'BYTES', shape, data: classIds }
        : { name: 'class', datatype: 'FP64', shape, data: Float64Array.from(classIds, Number) }
    const confidences = Float64Array.from(rows, ({ confidence }) => confidence)
    const isOffTopic = Uint8Array.from(rows, (row) => Number(row.isOffTopic))
    return {
      outputs: [
        classes,
        { name: this.outputs[1]!.name, datatype: 'FP64', shape, data: confidences },
        { name: 'off_topic', datatype: 'BOOL', shape, data: isOffTopic }
      ],
      ...(timings !== undefined && { timings })
    }
  }
}
