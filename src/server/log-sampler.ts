/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Properties that distinguish kinds of log lines; each has few possible values. */
interface Kind {
  readonly level: number
  readonly message: string
  readonly method?: unknown
  readonly route?: unknown
  readonly statusCode?: unknown
  readonly code?: unknown
  readonly error?: string
  /** First line of the error's stack. */
  readonly place?: string
}

/** A kind of lines, and how many of them were dropped. */
export interface LeftOutLines extends Kind {
  readonly leftOutCount: number
}

/** Maximum number of kinds in one second; lines of further kinds count as one kind. */
const MAX_KINDS = 512
const OTHER_KINDS = 'other'
const SECOND_MS = 1000
/** pino's level `fatal`. */
const FATAL = 60

/**
 * Limits the log lines of each kind per second, and counts the dropped ones, so that a flood of requests can neither bury other
 * lines nor fill a disk. Lines are of one kind when level, message, method, route, status and error are the same; ids, times
 * and durations do not matter.
 */
export class LogSampler {
  readonly #linesPerSecond: number
  readonly #report: (leftOut: LeftOutLines) => void
  #counts = new Map<string, { readonly kind: Kind; count: number }>()
  #endMs = 0

  /**
   * @param linesPerSecond limit for each kind; 0 for none
   * @param report called, once the second is over, with each kind of which lines were dropped
   */
  constructor(linesPerSecond: number, report: (leftOut: LeftOutLines) => void) {
    this.#linesPerSecond = linesPerSecond
    this.#report = report
  }

  /** Whether a line may be written. @param fields pino's argument before the message */
  admit(level: number, fields: unknown, message: unknown, nowMs: number): boolean {
    if (this.#linesPerSecond === 0 || level >= FATAL) return true
    this.tellIfOver(nowMs)
    const name = nameOfKind(level, fields, message)
    const known = this.#counts.get(name) ?? this.#counts.get(this.#counts.size < MAX_KINDS ? name : OTHER_KINDS)
    if (known !== undefined) {
      known.count += 1
      return known.count <= this.#linesPerSecond
    }
    if (this.#counts.size < MAX_KINDS) this.#counts.set(name, { kind: kindOf(level, fields, message), count: 1 })
    else this.#counts.set(OTHER_KINDS, { kind: { level, message: 'other lines' }, count: 1 })
    return true
  }

  /** Reports dropped lines if the second is over. */
  tellIfOver(nowMs: number): void {
    if (nowMs >= this.#endMs) this.tell(nowMs)
  }

  /** Reports the lines dropped so far, and starts a new second. */
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

/** pino's argument before the message, when it is an object. */
interface Fields {
  readonly method?: unknown
  readonly route?: unknown
  readonly statusCode?: unknown
  readonly code?: unknown
  readonly err?: unknown
}

/** Name of a line's kind. Every line needs it, so it is made without the {@link Kind}, which only the first of a second needs. */
function nameOfKind(level: number, fields: unknown, message: unknown): string {
  if (typeof fields !== 'object' || fields === null) return `${level}\n${String(fields)}`
  const { method, route, statusCode, code, err = fields }: Fields = fields
  const ofError = err instanceof Error ? `${err.name}\n${placeOf(err)}` : ''
  return `${level}\n${String(message)}\n${String(method)}\n${String(route)}\n${String(statusCode)}\n${String(code)}\n${ofError}`
}

/** First line of an error's stack. */
function placeOf({ stack }: Error): string {
  return stack?.match(/^ +at .*$/m)?.[0].trim() ?? ''
}

function kindOf(level: number, fields: unknown, message: unknown): Kind {
  if (typeof fields !== 'object' || fields === null) return { level, message: String(fields) }
  const { method, route, statusCode, code, err: error = fields }: Fields = fields
  return {
    level,
    message: typeof message === 'string' ? message : '',
    ...(method !== undefined && { method }),
    ...(route !== undefined && { route }),
    ...(statusCode !== undefined && { statusCode }),
    ...(code !== undefined && { code }),
    // An error's message is not used, since it may differ each time.
    ...(error instanceof Error && { error: error.name, place: placeOf(error) })
  }
}
