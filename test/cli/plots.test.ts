/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { calibrationSvg, confusionMatrixSvg, learningCurveSvg } from '../../src/cli/plots.ts'

function ofClass(classId: string, support: number) {
  return { classId, support, precision: null, recall: null, f1: null }
}

test('confusionMatrixSvg() counts right and wrong of each class, and shows names as text', () => {
  const drawn = confusionMatrixSvg({
    accuracy: 0.75,
    classes: [ofClass('yes', 5), ofClass('<b>"no"&', 3)],
    confusions: [{ classId: 'yes', predictedId: '<b>"no"&', count: 2 }]
  })
  assert.match(drawn, /<title>yes → yes: 3<\/title>/)
  assert.match(drawn, /<title>yes → &lt;b>&quot;no&quot;&amp;: 2<\/title>/)
  assert.match(drawn, /<title>&lt;b>&quot;no&quot;&amp; → &lt;b>&quot;no&quot;&amp;: 3<\/title>/)
  assert.equal(drawn.match(/<title>/g)?.length, 3)
  assert.match(drawn, /75% right/)
  assert.doesNotMatch(drawn, /<b>/)
})

test('confusionMatrixSvg() leaves out the classes that are mixed up least, and says so', () => {
  const classes = Array.from({ length: 40 }, (_, index) => ofClass(`c${index}`, 2))
  const confusions = [{ classId: 'c38', predictedId: 'c39', count: 1 }]
  const drawn = confusionMatrixSvg({ accuracy: null, classes, confusions })
  assert.match(drawn, /c38 → c39: 1/)
  assert.match(drawn, /10 classes that are mixed up least left out/)
  assert.equal(drawn.match(/<title>c\d+ → c\d+: /g)?.length, 31)
})

test('calibrationSvg() puts each bin where its confidence and its share right are, its area its questions', () => {
  const bins = [
    { count: 75, meanConfidence: 1, accuracy: 0 },
    { count: 25, meanConfidence: 0.5, accuracy: 0.5 }
  ]
  const drawn = calibrationSvg(bins, 0.75)
  assert.match(drawn, /cx="384" cy="368" r="13.86"/)
  assert.match(drawn, /cx="224" cy="208" r="8"/)
  assert.match(drawn, /<title>25 at 50%: 50% right<\/title>/)
  assert.match(drawn, /expected error 75%/)
})

test('learningCurveSvg() draws a line over the number of samples', () => {
  const drawn = learningCurveSvg([
    { sampleCount: 50, accuracy: 0.5 },
    { sampleCount: 200, accuracy: 1 }
  ])
  assert.match(drawn, /class="line" d="M144 208L384 48"/)
  assert.match(drawn, />200<\/text>/)
  assert.doesNotMatch(learningCurveSvg([]), /class="line"/)
})
