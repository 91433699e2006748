/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import test from 'node:test'
import { plotOf, ticksOf } from '../../../tools/bench/report/plot.ts'

const SERIES = [
  { title: 'ours', points: [1, 2, 4].map((x) => ({ x, y: x * 100 })) },
  { title: 'theirs & others <1>', points: [1, 2, 4].map((x) => ({ x, y: x * 10 })) }
]

test('ticksOf() gives 1, 2 and 5 times powers of ten, around all values', () => {
  assert.deepEqual(ticksOf([3, 40]), [2, 5, 10, 20, 50])
  assert.deepEqual(ticksOf([100]), [100, 200])
  assert.deepEqual(ticksOf([0.3, 0.7]), [0.2, 0.5, 1])
  assert.deepEqual(ticksOf([]), [])
})

test('plotOf() draws every line within its panel, higher values higher up', () => {
  const svg = plotOf([{ title: 'Rate', series: SERIES }])
  const lines = [...svg.matchAll(/class="line s(\d)[^"]*" d="M([\d. L]+)"/g)].map(([, index, path]) => ({
    index: Number(index),
    points: (path ?? '').split('L').map((pair) => pair.split(' ').map(Number))
  }))
  assert.equal(lines.length, 2)
  for (const { points } of lines) {
    assert.equal(points.length, 3)
    for (const [x = -1, y = -1] of points) assert.ok(x >= 56 && x <= 456 && y >= 40 && y <= 340, `${x} ${y}`)
  }
  const [first, second] = lines.toSorted((a, b) => a.index - b.index)
  assert.ok((first?.points[0]?.[1] ?? 0) < (second?.points[0]?.[1] ?? 0))
})

test('plotOf() sets names as text, not as markup, and has colours for a dark ground', () => {
  const svg = plotOf([{ title: 'Rate', series: SERIES }])
  assert.match(svg, /theirs &amp; others &lt;1>/)
  assert.match(svg, /prefers-color-scheme:dark/)
})
