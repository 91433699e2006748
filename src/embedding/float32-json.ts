/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { endianness } from 'node:os'

/** The longest number that {@link writeFloat32} writes: `-340282350000000000000` as JavaScript prints it below 1e21. */
const MAX_NUMBER_BYTES = 22

/** Nine significant digits tell any two float32 apart. */
const MAX_DIGITS = 9

/** The powers of ten that are needed here; a double holds each exactly. */
const POWERS_OF_TEN = Float64Array.from({ length: 16 }, (_, exponent) => Number(`1e${exponent}`))

const COMMA = 0x2c
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const OPEN = 0x5b
const CLOSE = 0x5d

const SMALLEST_NORMAL = 2 ** -126
const SMALLEST_SUBNORMAL = 2 ** -149

/** Half the step from a float32 to the next larger one, by the biased exponent of the float32. */
const HALF_STEPS = Float64Array.from({ length: 255 }, (_, exponent) => 2 ** (Math.max(exponent, 1) - 151))

/** `00`, `01` … `99`. */
const DIGIT_PAIRS = Buffer.from(Array.from({ length: 100 }, (_, pair) => String(pair).padStart(2, '0')).join(''))

const float = new Float32Array(1)
const floatBits = new Uint32Array(float.buffer)
const double = new Float64Array(1)
const doubleBits = new Uint32Array(double.buffer)
const LOW_WORD = endianness() === 'LE' ? 0 : 1

/**
 * Writes numbers as a JSON array of the shortest decimals that read back as the same float32.
 * `[0.1, -0.25]` as float32 gives `[0.1,-0.25]`, where `JSON.stringify` gives `[0.10000000149011612,-0.25]`.
 *
 * @throws {assert.AssertionError} for NaN and the infinities, which JSON does not have
 */
export function float32Json(values: Float32Array): Buffer {
  const bytes = Buffer.allocUnsafe(float32JsonMaxBytes(values.length))
  return copyToKeep(bytes.subarray(0, writeFloat32Json(values, bytes, 0)))
}

/**
 * Copies bytes for a cache or a socket's queue. Unlike `Buffer.from()` it does not allocate from Node's pool, where a
 * copy that is kept would keep a whole slab of 64 KB alive.
 */
export function copyToKeep(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}

/** Maximum number of bytes that {@link writeFloat32Json} writes for `count` numbers. */
export function float32JsonMaxBytes(count: number): number {
  return 2 + count * MAX_NUMBER_BYTES
}

/**
 * Writes what {@link float32Json} gives into `bytes` from `offset` on, where {@link float32JsonMaxBytes} bytes must be free.
 * @returns the position after the last byte
 */
export function writeFloat32Json(values: Float32Array, bytes: Buffer, offset: number): number {
  let end = offset
  bytes[end++] = OPEN
  for (let index = 0; index < values.length; index += 1) {
    if (index > 0) bytes[end++] = COMMA
    end = writeFloat32(values[index]!, bytes, end)
  }
  bytes[end++] = CLOSE
  return end
}

/** Writes a float32 as the shortest decimal, in JSON, that reads back as the same float32. */
export function float32Text(value: number): string {
  const bytes = Buffer.allocUnsafe(MAX_NUMBER_BYTES)
  return bytes.toString('latin1', 0, writeFloat32(Math.fround(value), bytes, 0))
}

/**
 * Writes one number. Tries the nearest decimal of 7 digits, then of 8, then of 9; nearly all float32 values need one of
 * these. A decimal is `digits / 10 ** scale`, both exact as a double, so that one division gives the double nearest to
 * it.
 */
function writeFloat32(value: number, bytes: Buffer, offset: number): number {
  const magnitude = Math.abs(value)
  if (!(magnitude >= 1e-6 && magnitude < 1)) return writeUnusual(value, magnitude, bytes, offset)
  float[0] = magnitude
  const halfStep = HALF_STEPS[floatBits[0]! >>> 23]!
  let scale = 7
  while (magnitude * POWERS_OF_TEN[scale - 6]! < 1) scale += 1
  let digits = digitsReadingBack(magnitude, halfStep, scale)
  if (digits >= 0) {
    while (scale > 1) {
      const fewer = digitsReadingBack(magnitude, halfStep, scale - 1)
      if (fewer < 0) break
      scale -= 1
      digits = fewer
    }
  } else {
    scale += 1
    digits = digitsReadingBack(magnitude, halfStep, scale)
    if (digits < 0) {
      scale += 1
      digits = (magnitude * POWERS_OF_TEN[scale]! + 0.5) | 0
    }
  }
  let start = offset
  if (value < 0) bytes[start++] = MINUS
  bytes[start++] = ZERO
  bytes[start++] = POINT
  const end = start + scale
  let position = end
  while (position - start >= 2) {
    const quotient = (digits / 100) | 0
    const pair = (digits - quotient * 100) * 2
    position -= 2
    bytes[position] = DIGIT_PAIRS[pair]!
    bytes[position + 1] = DIGIT_PAIRS[pair + 1]!
    digits = quotient
  }
  if (position > start) bytes[start] = ZERO + digits
  return end
}

/**
 * The integer `digits` for which `digits / 10 ** scale` is nearest to a float32, if that reads back as the same
 * float32, else -1. It does when its error is less than half the step to the next float32. The relative rounding error
 * of the product, 2 ** -53, is negligible against half a step (2 ** -25) unless the two sides of the comparison are
 * almost equal; only then is it computed exactly.
 */
function digitsReadingBack(magnitude: number, halfStep: number, scale: number): number {
  const power = POWERS_OF_TEN[scale]!
  const scaled = magnitude * power
  const digits = (scaled + 0.5) | 0
  const excess = Math.abs(scaled - digits)
  const allowed = halfStep * power
  if (excess > allowed * 1.000001) return -1
  // Below a power of two the step is half as large.
  if (excess < allowed * 0.499999) return digits
  return readsBack(digits / power, magnitude) ? digits : -1
}

/** Writes zero, one and numbers that embeddings do not contain: they are rare, so the simple way is fast enough. */
function writeUnusual(value: number, magnitude: number, bytes: Buffer, offset: number): number {
  assert.ok(Number.isFinite(value), 'A number of an embedding is not finite: this is a bug')
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  return offset + bytes.write(`${sign}${shortestDecimal(magnitude)}`, offset, 'latin1')
}

/**
 * The decimal that {@link writeFloat32} would write: 7 digits, fewer where they suffice, more where they are needed.
 */
function shortestDecimal(magnitude: number): number {
  let digitCount = 7
  let found = decimalReadingBack(magnitude, digitCount)
  while (found === undefined && digitCount < MAX_DIGITS) found = decimalReadingBack(magnitude, ++digitCount)
  while (found !== undefined && digitCount > 1) {
    const shorter = decimalReadingBack(magnitude, --digitCount)
    if (shorter === undefined) break
    found = shorter
  }
  return found ?? Number(magnitude.toPrecision(MAX_DIGITS))
}

/** The decimal with `digitCount` significant digits that reads back as this float32, if there is one. */
function decimalReadingBack(magnitude: number, digitCount: number): number | undefined {
  const nearest = Number(magnitude.toExponential(digitCount - 1))
  if (readsBack(nearest, magnitude)) return nearest
  // Below a power of two, float32 values are twice as dense as above it, so the next decimal may read back where the
  // nearest does not.
  const [mantissa = '', exponent = ''] = magnitude.toExponential(digitCount - 1).split('e')
  const next = Number(`${Number(mantissa.replace('.', '')) + 1}e${Number(exponent) - digitCount + 1}`)
  return readsBack(next, magnitude) ? next : undefined
}

/**
 * Whether a decimal reads back as this float32 both when parsed directly and when parsed as a double first. The two may
 * differ for a double exactly between two float32 values, so such a double is rejected.
 */
function readsBack(decimal: number, magnitude: number): boolean {
  return Math.fround(decimal) === magnitude && !isHalfway(decimal)
}

/** Whether a double lies exactly between two neighbouring float32 values. */
function isHalfway(decimal: number): boolean {
  if (decimal < SMALLEST_NORMAL) return (decimal / SMALLEST_SUBNORMAL) % 1 === 0.5
  double[0] = decimal
  // A float32 has 23 of a double's 52 mantissa bits: halfway, the other 29 are a one followed by zeros.
  return (doubleBits[LOW_WORD]! & 0x1fff_ffff) === 0x1000_0000
}
