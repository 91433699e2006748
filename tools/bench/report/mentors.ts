/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { pairedRatios, spreadOf } from '../measure/statistics.ts'
import { LoadMeasurementSchema } from './load-measurement.ts'
import { figure, table } from './markdown.ts'
import { defineSection } from './section.ts'

const Milliseconds = Type.Array(Type.Number())

export const MentorsSchema = Type.Object({
  /** Trained in each round with texts that are not cached; the rounds of all are pairs. */
  cold: Type.Object({
    sampleCount: Type.Integer(),
    answerCount: Type.Integer(),
    oursMs: Milliseconds,
    oursRidgeMs: Milliseconds,
    /** What our last round had to embed. */
    encodedCount: Type.Integer(),
    peer: Type.Object({ versions: Type.String(), encodeMs: Milliseconds, fitMs: Milliseconds, searchMs: Milliseconds })
  }),
  /** With embeddings that are computed already. */
  ready: Type.Object({
    sampleCount: Type.Integer(),
    classCount: Type.Integer(),
    oursMs: Milliseconds,
    oursRidgeMs: Milliseconds,
    peerMs: Milliseconds,
    peerRidgeMs: Milliseconds
  }),
  accuracy: Type.Object({
    softmaxInt8: Type.Number(),
    ridgeFp32: Type.Number(),
    calibrationError: Type.Number()
  }),
  asking: Type.Object({
    clientCount: Type.Integer(),
    idle: Type.Array(LoadMeasurementSchema),
    whileEncoding: Type.Array(LoadMeasurementSchema),
    whileFitting: Type.Array(LoadMeasurementSchema)
  }),
  throughput: Type.Object({
    clientCount: Type.Integer(),
    questions: Type.Array(LoadMeasurementSchema),
    encode: Type.Array(LoadMeasurementSchema)
  })
})

/** What the program mentors.ts prints. */
export type MentorsResult = Static<typeof MentorsSchema>

/**
 * Our time of a cold training, cross-validation and all, to that of the peer.
 * @param what the peer's single fit, or its search for the regularization strength, which ours does too
 */
export function coldRatio({ cold }: MentorsResult, what: 'fitMs' | 'searchMs'): number {
  return pairedRatios(cold.oursMs, sums(cold.peer.encodeMs, cold.peer[what])).median
}

/** Our time on ready embeddings, cross-validation and all, to one fit of the peer. */
export function readyRatio({ ready }: MentorsResult): number {
  return pairedRatios(ready.oursMs, ready.peerMs).median
}

/** The 95th percentile of questions in the stage of a training that slows them most, to that without one. */
export function trainingSlowdown({ asking }: MentorsResult): number {
  const p95 = (measured: MentorsResult['asking']['idle']): number =>
    spreadOf(measured.map(({ latencyMs }) => latencyMs.p95)).median
  return Math.max(p95(asking.whileEncoding), p95(asking.whileFitting)) / p95(asking.idle)
}

/** Questions a second to embeddings a second, of texts that no cache knows. */
export function questionsToEncode({ throughput: { questions, encode } }: MentorsResult): number {
  const rates = (measured: typeof questions): number[] => measured.map(({ requestsPerSecond }) => requestsPerSecond)
  return pairedRatios(rates(questions), rates(encode)).median
}

function sums(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, index) => value + (b[index] ?? 0))
}

function seconds(milliseconds: readonly number[]): string {
  return `${figure(spreadOf(milliseconds).median / 1000)} s`
}

function renderColdTraining(cold: MentorsResult['cold']): string[] {
  const { encodeMs, fitMs, searchMs, versions } = cold.peer
  return [
    `A mentor of ${figure(cold.sampleCount)} samples and ${figure(cold.answerCount)} answers (texts of Banking77), trained by our service from ` +
      '`POST /train` to the new version, none of its texts embedded before; against a Python process that has its model ' +
      `loaded (${versions}), both with all cores. Medians of ${cold.oursMs.length}:`,
    '',
    table(
      ['trained by', 'seconds:'],
      [
        ['**ours**, softmax: penalty, calibration and off-topic rule out of fold, report', seconds(cold.oursMs)],
        ['ours, ridge, with its report', seconds(cold.oursRidgeMs)],
        ['sentence-transformers, then LogisticRegressionCV: three C, three folds', seconds(sums(encodeMs, searchMs))],
        ['sentence-transformers, then LogisticRegression, one fit', seconds(sums(encodeMs, fitMs))],
        ['of that the embeddings', seconds(encodeMs)]
      ]
    )
  ]
}

function render(result: MentorsResult): string {
  const { cold, ready, accuracy, asking, throughput } = result
  const latency = (measured: typeof asking.idle, pick: 'p50' | 'p95'): string =>
    figure(spreadOf(measured.map(({ latencyMs }) => latencyMs[pick])).median)
  const rate = (measured: typeof asking.idle): string =>
    figure(spreadOf(measured.map(({ requestsPerSecond }) => requestsPerSecond)).median)
  return [
    ...renderColdTraining(cold),
    '',
    `Banking77 itself, ${figure(ready.sampleCount)} samples of ${ready.classCount} classes, with embeddings that are there: ours on one thread, ` +
      'scikit-learn as it comes.',
    '',
    table(
      ['', 'ours:', 'scikit-learn:'],
      [
        [
          'softmax: ours with all that is measured out of fold, one fit there',
          seconds(ready.oursMs),
          seconds(ready.peerMs)
        ],
        ['ridge, one fit', seconds(ready.oursRidgeMs), seconds(ready.peerRidgeMs)]
      ]
    ),
    '',
    'On its test questions, as asked (softmax) and sanitized as the reference does (ridge):',
    '',
    table(
      ['', ':'],
      [
        ['accuracy, softmax, int8 embeddings', figure(accuracy.softmaxInt8)],
        ['expected calibration error of the same', figure(accuracy.calibrationError)],
        ['accuracy, ridge, fp32 embeddings', figure(accuracy.ridgeFp32)]
      ]
    ),
    '',
    `\`/questions\` by ${asking.clientCount} client in a closed loop, texts that no cache knows, while a mentor of all of Banking77 is trained:`,
    '',
    table(
      ['', 'p50 ms:', 'p95 ms:', 'requests/s:'],
      (
        [
          ['no training', asking.idle],
          ['its texts are encoded', asking.whileEncoding],
          ['its model is fitted', asking.whileFitting]
        ] as const
      ).map(([what, measured]) => [what, latency(measured, 'p50'), latency(measured, 'p95'), rate(measured)])
    ),
    '',
    `Requests/s by ${throughput.clientCount} clients: \`/questions\` ${rate(throughput.questions)}, \`/v1/encode\` ${rate(throughput.encode)}.`
  ].join('\n')
}

/** Training and asking mentors. */
export const mentors = defineSection({
  name: 'mentors',
  title: 'Mentors: training and asking',
  schema: MentorsSchema,
  render
})
