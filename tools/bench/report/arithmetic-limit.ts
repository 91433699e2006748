/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { figure, percent, table } from './markdown.ts'
import { defineSection } from './section.ts'

export const ArithmeticLimitSchema = Type.Object({
  multiplyAddsPerToken: Type.Number(),
  /** The products of one layer, alone; `fp32` is onnxruntime's, all others are kernels of ours. One thread. */
  peaks: Type.Array(
    Type.Object({ kernel: Type.String(), tokenCount: Type.Integer(), multiplyAddsPerSecond: Type.Number() }),
    { minItems: 1 }
  ),
  encoded: Type.Array(
    Type.Object({
      kernel: Type.String(),
      tokenCount: Type.Integer(),
      sentenceCount: Type.Integer(),
      sentencesPerSecond: Type.Number()
    })
  )
})

/** What the program arithmetic-limit.ts prints. */
export type ArithmeticLimitResult = Static<typeof ArithmeticLimitSchema>

const BILLION = 1e9

function render({ multiplyAddsPerToken, peaks, encoded }: ArithmeticLimitResult): string {
  const tokenCounts = [...new Set(peaks.map(({ tokenCount }) => tokenCount))]
  const kernels = [...new Set(peaks.map(({ kernel }) => kernel))]
  const rateOf = (kernel: string, tokenCount: number): number =>
    peaks.find((peak) => peak.kernel === kernel && peak.tokenCount === tokenCount)?.multiplyAddsPerSecond ?? Number.NaN
  const best = (kernel: string): number => Math.max(...tokenCounts.map((tokenCount) => rateOf(kernel, tokenCount)))
  return [
    `The linear layers take ${figure(multiplyAddsPerToken / 1e6)} million multiply-adds a token. What the kernels of int8, and onnxruntime ` +
      'in fp32, do on one thread of this machine when they do nothing else (the four products of one layer, in 10⁹ multiply-adds/s):',
    '',
    table(
      ['tokens at a time:', ...tokenCounts.map((tokenCount) => `${tokenCount}:`)],
      kernels.map((kernel) => [
        `\`${kernel}\``,
        ...tokenCounts.map((tokenCount) => figure(rateOf(kernel, tokenCount) / BILLION))
      ])
    ),
    '',
    'What whole sentences come to, beside the best of these (one thread, batcher included):',
    '',
    table(
      ['kernel', 'tokens a sentence:', 'sentences a call:', 'sentences/s:', '10⁹ multiply-adds/s:', 'to that best:'],
      encoded.map(({ kernel, tokenCount, sentenceCount, sentencesPerSecond }) => {
        const rate = sentencesPerSecond * tokenCount * multiplyAddsPerToken
        return [
          `\`${kernel}\``,
          String(tokenCount),
          String(sentenceCount),
          figure(sentencesPerSecond),
          figure(rate / BILLION),
          percent(rate / best(kernel))
        ]
      })
    )
  ].join('\n')
}

/** Distance of encoding from the machine's arithmetic limit. */
export const arithmeticLimit = defineSection({
  name: 'arithmetic-limit',
  title: 'How far from the arithmetic limit',
  schema: ArithmeticLimitSchema,
  render
})
