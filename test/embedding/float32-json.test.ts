/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { float32Json, float32Text } from '../../src/embedding/float32-json.ts'

const anyBits = fc.integer({ min: 0, max: 0xffff_ffff })
/** Bit patterns of magnitudes between 1e-6 and 1, where nearly all numbers of embeddings are. */
const usualBits = fc.integer({ min: 0x3586_37bd, max: 0x3f7f_ffff })

function fromBits(bits: number): number {
  return new Float32Array(new Uint32Array([bits]).buffer)[0]!
}

/** Significant digits of a decimal. */
function digitCount(decimal: string): number {
  const digits = decimal.replace(/e.*$/, '').replaceAll(/[-.]/g, '').replace(/^0+/, '')
  return (decimal.includes('.') ? digits : digits.replace(/0+$/, '')).length
}

/** Whether a decimal lies nearer to this float32 than to both of its neighbours, in exact arithmetic. */
function isExactlyNearest(decimal: string, bits: number): boolean {
  const neighbours = [bits - 1, bits + 1].map(fromBits).filter((neighbour) => Number.isFinite(neighbour))
  const scaled = exactDecimal(decimal)
  const own = distance(scaled, exactFloat(fromBits(bits)))
  return neighbours.every((neighbour) => own < distance(scaled, exactFloat(neighbour)))
}

/** A float32 times 2 ** 149 * 10 ** 60, which makes any of them and any of their decimals whole. */
function exactFloat(value: number): bigint {
  return BigInt(Math.abs(value) * 2 ** 100 * 2 ** 49) * 10n ** 60n
}

/** The same of a decimal's text. */
function exactDecimal(decimal: string): bigint {
  const [mantissa = '', exponent = '0'] = decimal.replace(/^-/, '').split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return BigInt(whole + fraction) * 2n ** 149n * 10n ** BigInt(60 + Number(exponent) - fraction.length)
}

function distance(a: bigint, b: bigint): bigint {
  return a > b ? a - b : b - a
}

for (const [name, pattern] of [
  ['any bit pattern', anyBits],
  ['a number such as embeddings have', usualBits]
] as const) {
  test(`float32Text() of ${name} reads back as the same float32, and no shorter decimal does`, () => {
    fc.assert(
      fc.property(pattern, (bits) => {
        const value = fromBits(bits)
        fc.pre(Number.isFinite(value))
        const decimal = float32Text(value)
        assert.ok(Object.is(Math.fround(JSON.parse(decimal)), value), `${decimal} is not ${value}`)
        if (value === 0) return
        assert.ok(isExactlyNearest(decimal, bits & 0x7fff_ffff), `${decimal} read at once is not ${value}`)
        const shorter = Math.abs(value).toExponential(Math.max(digitCount(decimal) - 2, 0))
        assert.ok(
          digitCount(decimal) === 1 || !isExactlyNearest(shorter, bits & 0x7fff_ffff),
          `${shorter} is shorter than ${decimal}`
        )
      }),
      { numRuns: 20_000 }
    )
  })
}

test('float32Text() of a power of two finds the shortest decimal though it is not the nearest', () => {
  assert.equal(float32Text(2 ** -96), '1.2621775e-29')
})

test('float32Text() of zeros, ones and the ends of the range', () => {
  const cases: [number, string][] = [
    [0, '0'],
    [-0, '-0'],
    [1, '1'],
    [-1, '-1'],
    [2 ** -149, '1e-45'],
    [3.4028234663852886e38, '3.4028235e+38'],
    [0.1, '0.1'],
    [-0.05, '-0.05'],
    [1e-6, '0.000001']
  ]
  for (const [value, text] of cases) assert.equal(float32Text(value), text)
})

test('float32Json() gives a JSON array of the same float32', () => {
  const values = Float32Array.from({ length: 384 }, (_, index) => Math.sin(index) / 20)
  const bytes = float32Json(values)
  assert.deepEqual(Float32Array.from(JSON.parse(bytes.toString())), values)
  assert.equal(bytes.toString(), `[${Array.from(values, float32Text).join(',')}]`)
  assert.equal(float32Json(new Float32Array(0)).toString(), '[]')
})

test('float32Json() refuses what JSON cannot say', () => {
  assert.throws(() => float32Json(Float32Array.of(Number.NaN)), /this is a bug/)
  assert.throws(() => float32Json(Float32Array.of(Number.POSITIVE_INFINITY)), /this is a bug/)
})
