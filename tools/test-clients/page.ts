/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** A program that the page shows for one client. */
export interface ClientProgram {
  /** Heading of its section. */
  readonly client: string
  readonly language: 'python' | 'js'
  /** What its first line has pip or npm install. */
  readonly packages: readonly string[]
  readonly text: string
  /** What its comments say it prints. */
  readonly printed: string
}

const INSTALL = { python: /^# pip install (.+)$/m, js: /^\/\/ npm install (.+)$/m } as const
const PRINT = /^(?:print|console\.log)\(.*\) *(?:#|\/\/) (.+)$/gm

/**
 * Reads the programs of docs/clients.md.
 * @throws Error when one does not say what it installs and prints, or leaves a version open
 */
export function programsOf(page: string): ClientProgram[] {
  return page.split(/^## /m).flatMap((section) => {
    const client = section.slice(0, section.indexOf('\n'))
    return [...section.matchAll(/^```(python|js)\n([\s\S]*?)^```$/gm)].map(([, kind, text = '']) => {
      const language = kind === 'js' ? 'js' : 'python'
      const packages = (INSTALL[language].exec(text)?.[1] ?? '').split(' ').map((name) => name.replaceAll('"', ''))
      const printed = [...text.matchAll(PRINT)].map(([, line = '']) => `${line}\n`).join('')
      if (!packages.every((name) => /[=@]\d[\w.]*$/.test(name))) {
        throw new Error(`docs/clients.md, ${client}: a first line that installs fixed versions is wanted`)
      }
      if (printed === '') throw new Error(`docs/clients.md, ${client}: a comment that says what is printed is wanted`)
      return { client, language, packages, text, printed }
    })
  })
}
