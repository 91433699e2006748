/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { figure, percent, table } from './markdown.ts'
import { defineSection } from './section.ts'

export const ArithmeticLimitSchema = Type.Object({
  multiplyAddsPerToken: Type.Number(),
  /** The products of one layer, alone, for so many tokens at a time; multiply-adds a second of one thread. */
  peaks: Type.Array(Type.Object({ tokenCount: Type.Integer(), int8: Type.Number(), fp32: Type.Number() }), {
    minItems: 1
  }),
  onnxGraph: Type.String(),
  encoded: Type.Array(
    Type.Object({
      graph: Type.String(),
      tokenCount: Type.Integer(),
      sentenceCount: Type.Integer(),
      sentencesPerSecond: Type.Number()
    })
  ),
  profile: Type.Object({
    tokenCount: Type.Integer(),
    runMicroseconds: Type.Number(),
    /** Share of the time in kernels, the greatest first. */
    operators: Type.Array(Type.Object({ name: Type.String(), nodeCount: Type.Number(), share: Type.Number() }))
  })
})

/** What the program arithmetic-limit.ts prints. */
export type ArithmeticLimitResult = Static<typeof ArithmeticLimitSchema>

const BILLION = 1e9

function render(result: ArithmeticLimitResult): string {
  const { multiplyAddsPerToken, peaks, encoded, profile } = result
  const best = { int8: Math.max(...peaks.map(({ int8 }) => int8)), fp32: Math.max(...peaks.map(({ fp32 }) => fp32)) }
  return [
    `The linear layers take ${figure(multiplyAddsPerToken / 1e6)} million multiply-adds a token. What onnxruntime's kernels do on one ` +
      'thread of this machine when they do nothing else (the four products of one layer, in 10⁹ multiply-adds/s):',
    '',
    table(
      ['tokens at a time:', ...peaks.map(({ tokenCount }) => `${tokenCount}:`)],
      [
        ['`MatMulIntegerToFloat`, int8', ...peaks.map(({ int8 }) => figure(int8 / BILLION))],
        ['`MatMul`, fp32', ...peaks.map(({ fp32 }) => figure(fp32 / BILLION))]
      ]
    ),
    '',
    'What whole sentences come to, beside the best of these (one thread, batcher included; `int8-native` has kernels of its own):',
    '',
    table(
      ['graph', 'tokens a sentence:', 'sentences a call:', 'sentences/s:', '10⁹ multiply-adds/s:', 'to that best:'],
      encoded.map(({ graph, tokenCount, sentenceCount, sentencesPerSecond }) => {
        const rate = sentencesPerSecond * tokenCount * multiplyAddsPerToken
        return [
          graph,
          String(tokenCount),
          String(sentenceCount),
          figure(sentencesPerSecond),
          figure(rate / BILLION),
          percent(rate / (graph === 'fp32' ? best.fp32 : best.int8))
        ]
      })
    ),
    '',
    `Where the time goes, by onnxruntime's profiler: \`${result.onnxGraph}\`, one sentence of ${profile.tokenCount} tokens, ` +
      `${figure(profile.runMicroseconds)} µs a run with the profiler on.`,
    '',
    table(
      ['operator', 'nodes:', 'share of the time:'],
      profile.operators.map(({ name, nodeCount, share }) => [
        `\`${name}\``,
        figure(nodeCount),
        `${figure(share * 100)} %`
      ])
    )
  ].join('\n')
}

/** How far encoding is from what the machine's arithmetic allows. */
export const arithmeticLimit = defineSection({
  name: 'arithmetic-limit',
  title: 'How far from the arithmetic limit',
  schema: ArithmeticLimitSchema,
  render
})
