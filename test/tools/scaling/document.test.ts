/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { measurementIn, scalingDocument, scalingPlot } from '../../../tools/scaling/document.ts'

function read(name: string): Promise<string> {
  return readFile(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')
}

test('docs/scaling.md and its plot are what the model makes of what was measured', async () => {
  const document = await read('scaling.md')
  const measurement = measurementIn(document)
  assert.equal(scalingDocument(measurement), document)
  assert.equal(scalingPlot(measurement.curve), await read('scaling.svg'))
})

test('scalingDocument() has a figure in each of its cells', async () => {
  const document = scalingDocument(measurementIn(await read('scaling.md')))
  assert.doesNotMatch(document, /NaN|undefined|Infinity|\| – /)
  assert(document.split('\n').filter((line) => line.startsWith('| ')).length > 25)
})

test('measurementIn() refuses a document that names no measurement', () => {
  assert.throws(() => measurementIn('# Scaling\n'), /want a measurement at its end/)
  assert.throws(() => measurementIn('<!-- {"curve":[]} -->\n'), /want a measurement at its end/)
})
