/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { basename, extname } from 'node:path'

/** How a kind of source file writes a comment. */
export type CommentStyle = 'block' | 'hash'

const STYLE_OF_EXTENSION: Readonly<Record<string, CommentStyle>> = {
  '.cjs': 'block',
  '.css': 'block',
  '.js': 'block',
  '.mjs': 'block',
  '.ts': 'block',
  '.tsx': 'block',
  '.py': 'hash',
  '.hcl': 'hash',
  '.sh': 'hash',
  '.tf': 'hash',
  '.tfbackend': 'hash',
  '.tfvars': 'hash',
  '.yaml': 'hash',
  '.yml': 'hash'
}

/**
 * Lines that must stay above the header because they work only at the very top: shebangs and directives of Dockerfiles.
 */
const FIRST_LINE = /^(?:#!.*|# *syntax *=.*|# *escape *=.*)\n/

/**
 * The comment style of a source file; nothing when the file is no source or has no comments (JSON, CSV, Markdown).
 *
 * @param content its text, whose first line tells what a file without an extension is
 */
export function commentStyleOf(path: string, content: string): CommentStyle | undefined {
  const name = basename(path)
  if (name === 'Makefile' || name === 'Dockerfile' || name.startsWith('Dockerfile.')) return 'hash'
  // terraform init writes it anew.
  if (name === '.terraform.lock.hcl') return undefined
  const extension = extname(name)
  if (extension === '') return content.startsWith('#!') ? 'hash' : undefined
  return STYLE_OF_EXTENSION[extension]
}

/** The licence text as a comment, with a line feed at its end. */
export function headerOf(licence: string, style: CommentStyle): string {
  const lines = licence.trim().split('\n')
  if (style === 'hash') return lines.map((line) => `# ${line}\n`).join('')
  return ['/*', ...lines.map((line) => ` * ${line}`), ' */', ''].join('\n')
}

/** Whether the file begins with the header, below the lines that must come first. */
export function hasHeader(content: string, header: string): boolean {
  return content.slice(firstLineLength(content)).trimStart().startsWith(header)
}

/** The file with the header in its place; unchanged when it has it. */
export function withHeader(content: string, header: string): string {
  if (hasHeader(content, header)) return content
  const split = firstLineLength(content)
  const body = content.slice(split).replace(/^\n+/, '')
  return `${content.slice(0, split)}${header}${body === '' ? '' : `\n${body}`}`
}

function firstLineLength(content: string): number {
  return FIRST_LINE.exec(content)?.[0].length ?? 0
}
