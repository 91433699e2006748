/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** One setting: its description, bounds and default, and the parser of its environment variable. */
export interface Setting<Value> {
  readonly type: string
  /** Unit, such as bytes, seconds or characters; undefined without one. */
  readonly unit?: string
  readonly default: Value
  /** Accepted values, in words. */
  readonly bounds: string
  readonly doc: string
  /** Whether its value must never be shown. */
  readonly isSecret: boolean
  /** @throws {RangeError} that says what is accepted, without quoting what was given, which may be a secret */
  readonly parse: (text: string) => Value
}

interface IntegerOptions {
  readonly default: number
  readonly min: number
  readonly max: number
  readonly unit?: string
  readonly doc: string
}

export function integer(options: IntegerOptions): Setting<number> {
  const bounds = `${options.min} to ${options.max}`
  return {
    type: 'integer',
    ...(options.unit === undefined ? {} : { unit: options.unit }),
    default: options.default,
    bounds,
    doc: options.doc,
    isSecret: false,
    parse(given) {
      const value = /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN
      if (!(value >= options.min && value <= options.max)) throw new RangeError(`want an integer, ${bounds}`)
      return value
    }
  }
}

interface DecimalOptions {
  readonly default: number
  readonly min: number
  readonly max: number
  readonly doc: string
}

export function decimal(options: DecimalOptions): Setting<number> {
  const bounds = `${options.min} to ${options.max}`
  return {
    type: 'number',
    default: options.default,
    bounds,
    doc: options.doc,
    isSecret: false,
    parse(given) {
      const value = /^-?\d{1,9}(?:\.\d{1,15})?$/.test(given) ? Number(given) : Number.NaN
      if (!(value >= options.min && value <= options.max)) throw new RangeError(`want a number, ${bounds}`)
      return value
    }
  }
}

export function oneOf<const Choice extends string>(
  choices: readonly Choice[],
  options: { readonly default: Choice; readonly doc: string }
): Setting<Choice> {
  const bounds = choices.map((choice) => `\`${choice}\``).join(', ')
  return {
    type: 'choice',
    default: options.default,
    bounds,
    doc: options.doc,
    isSecret: false,
    parse(given) {
      const found = choices.find((choice) => choice === given)
      if (found === undefined) throw new RangeError(`want one of ${choices.join(', ')}`)
      return found
    }
  }
}

/** A boolean setting: `true` or `false`, and also `yes` or `no`, which earlier versions documented. */
export function flag(options: { readonly default: boolean; readonly doc: string }): Setting<boolean> {
  return {
    type: 'boolean',
    default: options.default,
    bounds: '`true`, `false`; also `yes`, `no`',
    doc: options.doc,
    isSecret: false,
    parse(given) {
      if (given === 'true' || given === 'yes') return true
      if (given === 'false' || given === 'no') return false
      throw new RangeError('want true or false')
    }
  }
}

interface TextOptions<Default> {
  readonly default: Default
  readonly pattern: RegExp
  readonly bounds: string
  readonly doc: string
  readonly isSecret?: boolean
}

export function text<Default extends string | undefined>(options: TextOptions<Default>): Setting<string | Default> {
  return {
    type: 'text',
    default: options.default,
    bounds: options.bounds,
    doc: options.doc,
    isSecret: options.isSecret ?? false,
    parse(given) {
      if (!options.pattern.test(given)) throw new RangeError(`want ${options.bounds}`)
      return given
    }
  }
}

interface ListOptions {
  readonly itemPattern: RegExp
  readonly bounds: string
  readonly doc: string
  readonly isSecret?: boolean
}

export function list(options: ListOptions): Setting<readonly string[]> {
  return {
    type: 'list',
    default: [],
    bounds: options.bounds,
    doc: options.doc,
    isSecret: options.isSecret ?? false,
    parse(given) {
      const items = given.split(',').map((item) => item.trim())
      if (!items.every((item) => options.itemPattern.test(item))) throw new RangeError(`want ${options.bounds}`)
      return Object.freeze([...new Set(items)])
    }
  }
}
