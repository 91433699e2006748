/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** What tells lines of one kind from others: each value is one of few. */
interface Kind {
  readonly level: number
  readonly message: string
  readonly method?: unknown
  readonly route?: unknown
  readonly statusCode?: unknown
  readonly code?: unknown
  readonly error?: string
  /** Where the error came from. */
  readonly place?: string
}

/** Lines of one kind that were not written. */
export interface LeftOutLines extends Kind {
  readonly leftOutCount: number
}

/** Kinds that are told apart in one second; what comes after these counts as one kind. */
const MAX_KINDS = 512
const SECOND_MS = 1000
/** pino's level of what ends the process. */
const FATAL = 60

/**
 * Lets through so many lines of a kind in a second, and counts the others, so that a flood of requests cannot bury what else
 * happens, nor fill a disk. Lines are of one kind when level, message, method, route, status and error are the same; ids,
 * times and durations differ in each.
 */
export class LogSampler {
  readonly #linesPerSecond: number
  readonly #report: (leftOut: LeftOutLines) => void
  #counts = new Map<string, { readonly kind: Kind; count: number }>()
  #endMs = 0

  /**
   * @param linesPerSecond of each kind; 0 lets all through
   * @param report told, once the second is over, of each kind of which lines were left out
   */
  constructor(linesPerSecond: number, report: (leftOut: LeftOutLines) => void) {
    this.#linesPerSecond = linesPerSecond
    this.#report = report
  }

  /** Whether a line may be written. @param fields what pino is given before the message */
  admit(level: number, fields: unknown, message: unknown, nowMs: number): boolean {
    if (this.#linesPerSecond === 0 || level >= FATAL) return true
    this.tellIfOver(nowMs)
    const kind = kindOf(level, fields, message)
    const values = Object.values(kind).join('\n')
    const name = this.#counts.size < MAX_KINDS || this.#counts.has(values) ? values : 'other'
    const known = this.#counts.get(name)
    if (known === undefined) {
      this.#counts.set(name, { kind: name === values ? kind : { level, message: 'other lines' }, count: 1 })
      return true
    }
    known.count += 1
    return known.count <= this.#linesPerSecond
  }

  /** Tells what was left out, if the second is over. */
  tellIfOver(nowMs: number): void {
    if (nowMs >= this.#endMs) this.tell(nowMs)
  }

  /** Tells what was left out so far, and begins a new second. */
  tell(nowMs: number): void {
    const counts = this.#counts
    this.#counts = new Map()
    this.#endMs = nowMs + SECOND_MS
    for (const { kind, count } of counts.values()) {
      const leftOutCount = count - this.#linesPerSecond
      if (leftOutCount > 0) this.#report({ ...kind, leftOutCount })
    }
  }
}

function kindOf(level: number, fields: unknown, message: unknown): Kind {
  if (typeof fields !== 'object' || fields === null) return { level, message: String(fields) }
  const { method, route, statusCode, code }: Partial<Record<string, unknown>> = { ...fields }
  const error = 'err' in fields ? fields.err : fields
  return {
    level,
    message: typeof message === 'string' ? message : '',
    ...(method !== undefined && { method }),
    ...(route !== undefined && { route }),
    ...(statusCode !== undefined && { statusCode }),
    ...(code !== undefined && { code }),
    // An error's message may have anything in it, also what is different each time.
    ...(error instanceof Error && { error: error.name, place: error.stack?.match(/^ +at .*$/m)?.[0].trim() ?? '' })
  }
}
