/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { NAMES, type Rule, WORDING } from './glossary.ts'
import { separate } from './prose-of.ts'

/** A wording that a rule is against. */
export interface Finding {
  readonly path: string
  readonly line: number
  readonly found: string
  readonly rule: Rule
}

/**
 * Finds what the glossary has a better word for, in the prose and the names of a file.
 * @param path below the root of the repository: rules may be for some files only
 */
export function findWording(path: string, content: string): Finding[] {
  const { prose, code } = separate(path, content)
  const findings = [
    ...WORDING.flatMap((rule) => findingsOf(rule, path, prose)),
    ...NAMES.flatMap((rule) => findingsOf(rule, path, code))
  ]
  return findings.toSorted((a, b) => a.line - b.line)
}

/** Whether a file may use the wording of a rule. */
export function isExcepted({ rule, path }: Finding): boolean {
  return rule.except?.some((exception) => exception.path === path) ?? false
}

function findingsOf(rule: Rule, path: string, text: string): Finding[] {
  if (rule.only?.test(path) === false) return []
  return Array.from(text.matchAll(patternOf(rule)), ({ 0: match, index }) => {
    const start = match.search(/\w/)
    const line = text.slice(0, index + start).split('\n').length
    return { path, line, found: match.slice(start).replaceAll(/\s+/g, ' '), rule }
  })
}

/** White space within a sentence: a line break at most, since an empty line ends a paragraph. */
const SPACE = String.raw`(?:[^\S\n]+|[^\S\n]*\n[^\S\n]*)`
/** Where a piece of prose or a paragraph begins. */
const BEGINNING = String.raw`(?:^|\0|\n[^\S\n]*\n)\s*`

/** A rule's expression with its spaces and its beginnings as they stand in a file. */
function patternOf({ instead }: Rule): RegExp {
  const source = instead.source.replaceAll(' ', SPACE).replaceAll(/(?<!\[)\^/g, () => BEGINNING)
  return new RegExp(source, `g${instead.flags}`)
}
