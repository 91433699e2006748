/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Stands where a comment or a text in quotes begins: no wording goes on across it. */
const BOUNDARY = '\0'

/** What of a file is prose and what is code; both as long as the file, with the other blanked, so that positions stay. */
export interface Separated {
  readonly prose: string
  readonly code: string
}

/** Separates the prose of a Markdown page, or of a TypeScript or C file: its comments and its texts in quotes. */
export function separate(path: string, content: string): Separated {
  return path.endsWith('.md') ? { prose: proseOfMarkdown(content), code: blank(content) } : separateSource(content)
}

/** A page without code, in blocks or within a line, addresses of links and HTML comments. */
function proseOfMarkdown(content: string): string {
  return content
    .replaceAll(/^ *```[^]*?^ *```/gm, blank)
    .replaceAll(/<!--[^]*?-->/g, blank)
    .replaceAll(/`[^`]*`/g, blank)
    .replaceAll(/\]\([^)]*\)/g, blank)
    .replaceAll(/^ *(?:[-*>]|\d+\.|#+) /gm, (marker) => BOUNDARY.padEnd(marker.length))
    .replaceAll('|', BOUNDARY)
}

/** Comments, texts in quotes, and regular expressions, which may hold quotes; in this order, so that each hides the others. */
const TOKEN =
  /\/\*[^]*?\*\/|\/\/[^\n]*(?:\n[ \t]*\/\/[^\n]*)*|'(?:[^'\\\n]|\\[^])*'|"(?:[^"\\\n]|\\[^])*"|`(?:[^`\\]|\\[^])*`|(?<=[(,=:[!&|?{};>]\s*|\breturn )\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/g

function separateSource(content: string): Separated {
  let prose = ''
  let code = ''
  let end = 0
  for (const { 0: token, index } of content.matchAll(TOKEN)) {
    const before = content.slice(end, index)
    const isRegExp = token.startsWith('/') && !/^\/[*/]/.test(token)
    prose += blank(before) + (isRegExp ? blank(token) : proseOfToken(token))
    code += before + blank(token)
    end = index + token.length
  }
  return { prose: prose + blank(content.slice(end)), code: code + content.slice(end) }
}

function proseOfToken(token: string): string {
  const text = /^\/[*/]/.test(token)
    ? token
        .replaceAll(/`[^`]*`|\{@link [^}]*\}/g, blank)
        .replace(/\*\/$/, blank)
        .replaceAll(/^[ \t]*(?:\/\*+|\*|\/\/)/gm, blank)
        .replaceAll(/@\w+|^[ \t]*- /gm, (tag) => BOUNDARY.padEnd(tag.length))
    : token.replaceAll(/\$\{[^}]*\}/g, blank)
  return BOUNDARY + text.slice(1)
}

/** The same lines, empty. */
function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, ' ')
}
