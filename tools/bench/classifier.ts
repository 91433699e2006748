/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Measures quality and speed of the classifiers on Banking77, embeddings ready, and prints JSON.
 *
 * The folder given holds what tools/bench/classifier.py writes, or another encoder's embeddings in the same layout:
 * `labels.json` ({dimensions, classCount, train, test}) and, as little-endian float32, `train.f32` (sanitized),
 * `test-sanitized.f32` and `test-as-asked.f32`.
 * Without a folder, our int8 encoder embeds the Banking77 of the data folder (measure/data-folder.ts).
 * Run: npm exec -- node tools/bench/classifier.ts [folder]
 */
import { join } from 'node:path'
import { ClassifierModel, packRidgeModel, packSoftmaxModel } from '../../src/learning/classifier-model.ts'
import { auroc, evaluate, type JudgedQuestion } from '../../src/learning/evaluation.ts'
import { fitRidge } from '../../src/learning/ridge.ts'
import { TensorEngine, type FloatMatrix } from '../../src/learning/tensor-engine.ts'
import { embedBanking77, judge, originOf, readBanking77 } from './engine/banking77.ts'
import { openEncoder } from './engine/open-encoder.ts'
import { dataFolder } from './measure/data-folder.ts'
import { trainSoftmax, type TrainedSoftmax } from '../../src/learning/train-softmax.ts'
import type { TrainingSet } from '../../src/learning/training-set.ts'

const WITHHELD_INTENTS = 20
const DRAWS = 3

const ROOT = join(import.meta.dirname, '../..')

const folder = process.argv[2] ?? (await embedWithOurs())
const { classCount, train, testSanitized, testAsAsked, testLabels, testTexts } = readBanking77(folder)

const engine = await TensorEngine.create()
const report = {
  node: process.version,
  samples: train.labels.length,
  classes: classCount,
  ridge: measureRidge(),
  softmax: await measureSoftmax(),
  offTopic: await measureOffTopic(),
  manyAnswers: await measureManyAnswers()
}
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
await engine[Symbol.asyncDispose]()

async function embedWithOurs(): Promise<string> {
  const out = join(ROOT, '.cache/bench/banking77-int8')
  const encoder = await openEncoder('int8')
  await embedBanking77(encoder, dataFolder('banking77'), out)
  await encoder.close()
  return out
}

function measureRidge() {
  const { result: fitted, milliseconds } = timed(() => fitRidge(train.features, train.labels, classCount))
  const model = ClassifierModel.load(packRidgeModel(fitted, originOf(classCount)))
  return {
    fitMs: milliseconds,
    accuracySanitized: evaluate(judge(model, testSanitized, testLabels), false).accuracy,
    accuracyAsAsked: evaluate(judge(model, testAsAsked, testLabels), false).accuracy
  }
}

async function measureSoftmax() {
  const set = { ...train, classCount }
  // The first run is the warm-up.
  await trainSoftmax(engine, set)
  const start = performance.now()
  const trained = await trainSoftmax(engine, set)
  const trainMs = Math.round(performance.now() - start)
  const model = load(trained, set)
  const { result: judged, milliseconds } = timed(() => judge(model, testAsAsked, testLabels, testTexts))
  const found = evaluate(judged, true)
  const foreseen = evaluate(trained.outOfFold, true)
  return {
    trainMs,
    predictMs: milliseconds / judged.length,
    modelBytes: model.byteLength,
    accuracySanitized: evaluate(judge(model, testSanitized, testLabels, testTexts), true).accuracy,
    accuracyAsAsked: found.accuracy,
    answeredRight: found.answeredRight,
    calibrationError: found.calibrationError,
    macroF1: found.macroF1,
    c: 1 / trained.penalty,
    outOfFold: {
      accuracy: foreseen.accuracy,
      calibrationError: foreseen.calibrationError,
      offTopicAuroc: foreseen.offTopicAuroc
    }
  }
}

/** Trains without some intents and asks their test questions as off topic; the others' as on topic. */
async function measureOffTopic() {
  const draws = []
  for (let draw = 0; draw < DRAWS; draw++) {
    // 77 is prime to 29 and 31: each draw spreads over the intents.
    const withheld = new Set(Array.from({ length: WITHHELD_INTENTS }, (_, i) => (draw * 31 + i * 29) % classCount))
    const kept = [...Array(classCount).keys()].filter((k) => !withheld.has(k))
    const classOf = new Map(kept.map((k, i) => [k, i]))
    const rows = [...train.labels.keys()].filter((i) => classOf.has(train.labels[i]!))
    const set = {
      features: takeRows(train.features, rows),
      ...(train.grams !== undefined && { grams: rows.map((i) => train.grams![i]!) }),
      labels: Int32Array.from(rows, (i) => classOf.get(train.labels[i]!)!),
      classCount: kept.length
    }
    const trained = await trainSoftmax(engine, set)
    const judged = judge(
      load(trained, set),
      testAsAsked,
      testLabels.map((k) => classOf.get(k)),
      testTexts
    )
    const found = evaluate(judged, true)
    draws.push({
      accuracy: found.accuracy,
      auroc: found.offTopicAuroc,
      aurocOfConfidenceAlone: auroc(
        judged.filter((one) => one.label !== undefined).map(confidenceOf),
        judged.filter((one) => one.label === undefined).map(confidenceOf)
      ),
      aurocForeseen: evaluate(trained.outOfFold, true).offTopicAuroc,
      offTopicRefused: found.offTopicRefused,
      rightAnswersLost: 1 - found.answeredRight! / found.accuracy!
    })
  }
  return draws
}

/** Time of a mentor with 400 answers of three samples; which samples go together does not matter to the clock. */
async function measureManyAnswers() {
  const rows = Array.from({ length: 1200 }, (_, i) => i * 8)
  const set = {
    features: takeRows(train.features, rows),
    labels: Int32Array.from(rows, (_, i) => i % 400),
    classCount: 400
  }
  const start = performance.now()
  await trainSoftmax(engine, set)
  return { samples: 1200, answers: 400, trainMs: Math.round(performance.now() - start) }
}

function confidenceOf(one: JudgedQuestion): number {
  return one.ranked[0]!.confidence
}

function load(trained: TrainedSoftmax, set: TrainingSet): ClassifierModel {
  return ClassifierModel.load(packSoftmaxModel(trained, set, originOf(set.classCount)))
}

function takeRows(of: FloatMatrix, rows: readonly number[]): FloatMatrix {
  const values = new Float32Array(rows.length * of.columns)
  for (const [i, row] of rows.entries()) {
    values.set(of.values.subarray(row * of.columns, (row + 1) * of.columns), i * of.columns)
  }
  return { values, rows: rows.length, columns: of.columns }
}

function timed<T>(run: () => T): { result: T; milliseconds: number } {
  const start = performance.now()
  const result = run()
  return { result, milliseconds: Math.round((performance.now() - start) * 10) / 10 }
}
