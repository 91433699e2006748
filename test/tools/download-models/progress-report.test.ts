/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import test from 'node:test'
import type { ModelFile } from '../../../tools/download-models/manifest.ts'
import { ProgressReport } from '../../../tools/download-models/progress-report.ts'

const WEIGHTS: ModelFile = { path: 'model.safetensors', bytes: 90_000_000, sha256: '' }
const CONFIG: ModelFile = { path: 'config.json', bytes: 612, sha256: '' }

function record(isTTY: boolean, columns = 80) {
  const written: string[] = []
  const clock = { nowMs: 0 }
  const stream = { isTTY, columns, write: (text: string) => written.push(text) }
  return { written, clock, report: new ProgressReport(stream, () => clock.nowMs) }
}

test('ProgressReport writes four lines of a big file to a log, and none of a small one', () => {
  const { written, report } = record(false)
  report.advance(CONFIG, 612)
  for (let bytes = 0; bytes <= WEIGHTS.bytes; bytes += 100_000) report.advance(WEIGHTS, bytes)
  assert.deepEqual(
    written,
    [25, 50, 75, 100].map((percent) => `  model.safetensors: ${percent}% of 90.0 MB\n`)
  )
})

test('ProgressReport redraws one line of a terminal, at most ten times a second, with speed and time left', () => {
  const { written, clock, report } = record(true)
  report.advance(WEIGHTS, 0)
  clock.nowMs = 50
  report.advance(WEIGHTS, 1_000_000)
  clock.nowMs = 10_000
  report.advance(WEIGHTS, 45_000_000)
  assert.deepEqual(written, [
    `\r  ${'░'.repeat(12)} 0%  model.safetensors  0 kB/90.0 MB\u001B[K`,
    `\r  ${'█'.repeat(6)}${'░'.repeat(6)} 50%  model.safetensors  45.0 MB/90.0 MB  4.5 MB/s  10 s left\u001B[K`
  ])
})

test('ProgressReport counts the speed from where a continued download began', () => {
  const { written, clock, report } = record(true, 0)
  report.advance(WEIGHTS, 60_000_000)
  clock.nowMs = 1000
  report.advance(WEIGHTS, 61_000_000)
  assert.match(written.at(-1) ?? '', /61\.0 MB\/90\.0 MB {2}1\.0 MB\/s {2}29 s left/)
})

test('ProgressReport ends the line of the bar before a note, and takes control characters out of it', () => {
  const { written, report } = record(true)
  report.advance(WEIGHTS, 1000)
  report.note('server said \u001B[31mno')
  report.end()
  assert.deepEqual(written.slice(1), ['\n', '  server said no\n'])
})
