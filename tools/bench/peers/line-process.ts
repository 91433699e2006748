/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A program that answers each line of JSON with a line of JSON; it ends with this. */
export class LineProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout } = this.#child
    if (stdout === null) throw new Error('A process has no standard output: this is a bug')
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  }

  /** The next line that it prints. @throws Error when it ends instead */
  async next(): Promise<unknown> {
    const line = await this.#lines.next()
    if (line.done === true) throw new Error(`${this.#child.spawnfile} ended before it answered`)
    return JSON.parse(line.value)
  }

  async ask(task: object): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify(task)}\n`)
    return this.next()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}
