/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** The oldest Node.js that runs the service: the first with stable `node:sqlite` and stable type stripping. */
const FLOOR = [24, 15, 0] as const

/** The first version of each release line with the fix of the brotli decoder's out-of-bounds write (2026-10-21). */
const FIRST_FIXED: Readonly<Record<number, readonly [number, number, number]>> = { 24: [24, 22, 1], 26: [26, 12, 1] }

/** Verdict on a version of Node.js. */
export type NodeVersionVerdict =
  | { readonly outcome: 'fine' }
  /** It works, but should not be reachable from the internet. */
  | { readonly outcome: 'vulnerable'; readonly message: string }
  | { readonly outcome: 'too old'; readonly message: string }

/** Judges a version such as `26.10.0`. */
export function judgeNodeVersion(version: string): NodeVersionVerdict {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  const given = [major, minor, patch] as const
  if (isBefore(given, FLOOR)) {
    const message = `Cannot start: Node.js ${version} is too old, ${FLOOR.join('.')} is the oldest that works`
    return { outcome: 'too old', message }
  }
  const fixed = FIRST_FIXED[major]
  if (major > 26 || (fixed !== undefined && !isBefore(given, fixed))) return { outcome: 'fine' }
  const message = `Node.js ${version} lacks the security release of October 2026: use 24.22.1, 26.12.1 or later in public`
  return { outcome: 'vulnerable', message }
}

function isBefore(a: readonly [number, number, number], b: readonly [number, number, number]): boolean {
  return a[0] - b[0] < 0 || (a[0] === b[0] && (a[1] < b[1] || (a[1] === b[1] && a[2] < b[2])))
}
