/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readFileSync, rmdirSync, mkdirSync, writeFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = '/sys/fs/cgroup'

/** A control group with a limit of memory: beyond it the kernel ends the process. */
export class MemoryGroup implements Disposable {
  readonly limitBytes: number
  readonly #folder: string
  readonly #isFirstVersion: boolean

  private constructor(folder: string, limitBytes: number, isFirstVersion: boolean) {
    this.#folder = folder
    this.limitBytes = limitBytes
    this.#isFirstVersion = isFirstVersion
  }

  /** @returns the group, or why this machine has none */
  static create(limitBytes: number): MemoryGroup | string {
    const first = join(ROOT, 'memory')
    const isFirstVersion = existsSync(join(first, 'memory.limit_in_bytes'))
    const folder = join(isFirstVersion ? first : ROOT, `fault-test-${process.pid}-${limitBytes}`)
    try {
      mkdirSync(folder)
      const limit = String(limitBytes)
      writeFileSync(join(folder, isFirstVersion ? 'memory.limit_in_bytes' : 'memory.max'), limit)
      return new MemoryGroup(folder, limitBytes, isFirstVersion)
    } catch (error) {
      return `no control group with a limit of memory can be made here (${error instanceof Error ? error.message : String(error)})`
    }
  }

  /** A command that runs the rest of its line in this group. */
  get wrap(): readonly string[] {
    return ['/bin/sh', '-c', 'echo $$ > "$0" && exec "$@"', join(this.#folder, 'cgroup.procs')]
  }

  /** How often the kernel has ended a process of the group. */
  get killCount(): number {
    const file = this.#isFirstVersion ? 'memory.oom_control' : 'memory.events'
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(join(this.#folder, file), 'utf8'))?.[1] ?? 0)
  }

  [Symbol.dispose](): void {
    rmdirSync(this.#folder)
  }
}
