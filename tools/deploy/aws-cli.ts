/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Calls the AWS CLI. @returns its answer, read as JSON */
export async function aws(args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run('aws', [...args, '--output', 'json'], { maxBuffer: 1 << 26 })
  return stdout.trim() === '' ? {} : recordOf(JSON.parse(stdout))
}

/** A value as an object with unknown fields; empty when it is not an object. */
export function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/** A list of such objects. */
export function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(recordOf) : []
}

/** A field of such an object. */
export function fieldOf(value: unknown, name: string): unknown {
  return recordOf(value)[name]
}
