/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** A program that the page shows for one client. */
export interface ClientProgram {
  /** Heading of its section. */
  readonly client: string
  readonly language: 'python' | 'js' | 'sh'
  /** Packages that its first line installs with pip or npm. */
  readonly packages: readonly string[]
  readonly text: string
  /** Expected output, from its comments; empty for `sh`. */
  readonly printed: string
  /** Environment variables of its section, for clients that are servers themselves. */
  readonly settings: Readonly<Record<string, string>>
}

const INSTALL = {
  python: /^# pip install (.+)$/m,
  js: /^\/\/ npm install (.+)$/m,
  sh: /^# npm install (.+)$/m
} as const
const PRINT = /^(?:print|console\.log)\(.*\) *(?:#|\/\/) (.+)$/gm

/**
 * Reads the programs of docs/clients.md: each block of Python or JavaScript, and of commands that begin with what npm installs.
 * @throws Error when one does not say what it installs and prints, or leaves a version open
 */
export function programsOf(page: string): ClientProgram[] {
  return page.split(/^## /m).flatMap((section) => {
    const client = section.slice(0, section.indexOf('\n'))
    const settings = settingsOf(section)
    return [...section.matchAll(/^```(python|js|sh)\n([\s\S]*?)^```$/gm)].flatMap(([, kind, text = '']) => {
      const language = kind === 'js' || kind === 'sh' ? kind : 'python'
      const install = INSTALL[language].exec(text)
      if (language === 'sh' && install === null) return []
      const packages = (install?.[1] ?? '').split(' ').map((name) => name.replaceAll('"', ''))
      const printed = [...text.matchAll(PRINT)].map(([, line = '']) => `${line}\n`).join('')
      if (!packages.every((name) => /[=@]\d[\w.]*$/.test(name))) {
        throw new Error(`docs/clients.md, ${client}: a first line that installs fixed versions is wanted`)
      }
      if (printed === '' && language !== 'sh') {
        throw new Error(`docs/clients.md, ${client}: a comment that says what is printed is wanted`)
      }
      return [{ client, language, packages, text, printed, settings }]
    })
  })
}

/** The variables of the section's `ini` block. */
function settingsOf(section: string): Record<string, string> {
  const lines = /^```ini\n([\s\S]*?)^```$/m.exec(section)?.[1] ?? ''
  return Object.fromEntries([...lines.matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]))
}
