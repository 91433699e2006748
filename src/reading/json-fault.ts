/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Words that other languages have where JSON has another, or none. */
const FOREIGN_WORDS: Readonly<Record<string, string>> = {
  NaN: 'NaN, for which JSON has null',
  Infinity: 'Infinity, for which JSON has null',
  undefined: 'undefined, for which JSON has null',
  None: 'None, for which JSON has null',
  nan: 'nan, for which JSON has null',
  True: 'True, for which JSON has true',
  False: 'False, for which JSON has false'
}

const TOO_SHORT = 'it ends before its value does'
const WORD = /[A-Za-z]+/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])/y
/**
 * All but quotes, backslashes and control characters. By code unit: by code point, expressions keep a state for each
 * character, and overflow the stack on a long text.
 */
const SIMPLE_TEXT = /[ !#-[\]-\uffff]*/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const SPACE = /[ \t\n\r]*/y

/**
 * Says where a text stops being JSON, and what was found there: `line 3, column 17: NaN, for which JSON has null`.
 * Contains none of the text but the words of {@link FOREIGN_WORDS}.
 * @param text a text that `JSON.parse` refused
 */
export function describeJsonFault(text: string): string {
  const { at, problem } = new Scanner(text).scan()
  let line = 1
  let lineStart = 0
  for (let end = text.indexOf('\n'); end >= 0 && end < at; end = text.indexOf('\n', lineStart)) {
    line += 1
    lineStart = end + 1
  }
  return `line ${line}, column ${at - lineStart + 1}: ${problem}`
}

interface Fault {
  readonly at: number
  readonly problem: string
}

/** Reads a text as JSON until the first fault. */
class Scanner {
  readonly #text: string
  /** Brackets that are open. */
  readonly #open: string[] = []
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  scan(): Fault {
    let problem = this.#value()
    while (problem === undefined && this.#open.length > 0) problem = this.#next()
    if (problem === undefined) {
      this.#take(SPACE)
      problem = 'more follows after the value: in place of JSON lines a list is wanted'
    }
    return { at: Math.min(this.#at, this.#text.length), problem }
  }

  /** Reads on within the innermost list or object: its end, or a comma and what follows. */
  #next(): string | undefined {
    this.#take(SPACE)
    const isObject = this.#open.at(-1) === '{'
    const character = this.#text[this.#at]
    if (character === (isObject ? '}' : ']')) {
      this.#open.pop()
      this.#at += 1
      return undefined
    }
    if (character !== ',') return this.#unlike('a comma or the end of the list or object is wanted')
    const commaAt = this.#at
    this.#at += 1
    this.#take(SPACE)
    if (this.#text[this.#at] === '}' || this.#text[this.#at] === ']') {
      this.#at = commaAt
      return 'a comma that nothing follows'
    }
    return isObject ? this.#member() : this.#value()
  }

  #member(): string | undefined {
    this.#take(SPACE)
    if (this.#text[this.#at] !== '"') return this.#unlike('a name in double quotes is wanted')
    const problem = this.#string()
    if (problem !== undefined) return problem
    this.#take(SPACE)
    if (this.#text[this.#at] !== ':') return this.#unlike('a colon is wanted after a name')
    this.#at += 1
    return this.#value()
  }

  /** Reads a value; of a list or object its beginning, the first item included. */
  #value(): string | undefined {
    this.#take(SPACE)
    const character = this.#text[this.#at]
    if (character === '"') return this.#string()
    if (character === '[' || character === '{') {
      this.#open.push(character)
      this.#at += 1
      this.#take(SPACE)
      const isEmpty = this.#text[this.#at] === (character === '[' ? ']' : '}')
      if (isEmpty) return undefined
      // The first item may be another list: the nesting was bounded before.
      return character === '[' ? this.#value() : this.#member()
    }
    if (this.#take(NUMBER) !== '') return undefined
    const start = this.#at
    if (['true', 'false', 'null'].includes(this.#take(WORD))) return undefined
    this.#at = start
    return this.#unlike('a value is wanted: a text in double quotes, a number, true, false, null, a list or an object')
  }

  #string(): string | undefined {
    this.#at += 1
    for (;;) {
      this.#take(SIMPLE_TEXT)
      const character = this.#text[this.#at]
      if (character === '"') {
        this.#at += 1
        return undefined
      }
      if (character === undefined) return TOO_SHORT
      if (character !== '\\') {
        return 'a line break or another control character within a text: \\n and the like are wanted'
      }
      if (this.#take(ESCAPE) === '') return 'a backslash that begins no escape: a backslash itself is \\\\'
    }
  }

  /** What was found in place of what was wanted. */
  #unlike(wanted: string): string {
    const character = this.#text[this.#at]
    if (character === undefined) return TOO_SHORT
    if (character === "'" || '“”„‘’'.includes(character)) return `another quote than ": ${wanted}`
    if (character === '/' || character === '#') return 'a comment, which JSON lacks'
    const start = this.#at
    if (character === '-') this.#at += 1
    const word = this.#take(WORD)
    this.#at = start
    return (Object.hasOwn(FOREIGN_WORDS, word) ? FOREIGN_WORDS[word] : undefined) ?? wanted
  }

  /** Takes what a pattern finds here, which may be nothing. */
  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }
}
