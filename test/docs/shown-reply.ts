/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** A reply as a page shows it: JSON in which an ellipsis stands for the rest of an object, a list or a text. */
export type ShownReply = string | number | boolean | null | ShownObject | ShownList

interface ShownObject {
  readonly members: ReadonlyMap<string, ShownReply>
  /** Whether an ellipsis stands for more members. */
  readonly isCut: boolean
}

interface ShownList {
  readonly items: readonly ShownReply[]
  readonly isCut: boolean
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[[\]{}:,]|…/g

/** Reads the replies of a block, one after the other. */
export function readShownReplies(block: string): ShownReply[] {
  const tokens = [...block.matchAll(TOKEN)].map(([token]) => token)
  const replies: ShownReply[] = []
  while (tokens.length > 0) replies.push(readValue(tokens))
  return replies
}

function readValue(tokens: string[]): ShownReply {
  const token = tokens.shift() ?? 'nothing'
  if (token === '[') {
    const items: ShownReply[] = []
    const isCut = readUntil(']', tokens, () => items.push(readValue(tokens)))
    return { items, isCut }
  }
  if (token !== '{') return JSON.parse(token)
  const members = new Map<string, ShownReply>()
  const isCut = readUntil('}', tokens, () => {
    const name: string = JSON.parse(tokens.shift() ?? '')
    tokens.shift()
    members.set(name, readValue(tokens))
  })
  return { members, isCut }
}

/** Reads up to a closing bracket. @returns whether an ellipsis is before it; what follows the ellipsis is for people */
function readUntil(end: string, tokens: string[], readOne: () => void): boolean {
  for (;;) {
    const [next] = tokens
    if (next === undefined) throw new Error(`Cannot read the reply: ${end} is missing`)
    if (next === end || next === '…') {
      tokens.splice(0, tokens.indexOf(end) + 1)
      return next === '…'
    }
    if (next === ',') tokens.shift()
    else readOne()
  }
}

/** Compares the shape of a reply with the one that is shown: members, lengths and types, not values. @returns differences, for people */
export function differencesOf(shown: ShownReply, actual: unknown, path = 'reply'): string[] {
  if (shown === null || typeof shown !== 'object') {
    const isSame = shown === null ? actual === null : typeof actual === typeof shown
    return isSame ? [] : [`${path} is shown as ${JSON.stringify(shown)} and is ${JSON.stringify(actual)}`]
  }
  if ('items' in shown) {
    if (!Array.isArray(actual)) return [`${path} is shown as a list`]
    const { items, isCut } = shown
    if (isCut ? actual.length < items.length : actual.length !== items.length) {
      return [`${path} has ${actual.length} items, ${items.length} are shown`]
    }
    return items.flatMap((item, i) => differencesOf(item, actual[i], `${path}[${i}]`))
  }
  if (actual === null || typeof actual !== 'object') return [`${path} is shown as an object`]
  const members = new Map<string, unknown>(Object.entries(actual))
  const hidden = shown.isCut ? [] : [...members.keys()].filter((name) => !shown.members.has(name))
  return [
    ...hidden.map((name) => `${path}.${name} is not shown`),
    ...[...shown.members].flatMap(([name, member]) =>
      members.has(name) ? differencesOf(member, members.get(name), `${path}.${name}`) : [`${path}.${name} is missing`]
    )
  ]
}
