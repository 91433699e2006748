/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '../..')
const LINT_FILE = '.oxlintrc.json'

interface Room {
  readonly name: string
  readonly mayImport: readonly string[]
}

interface LintFile {
  readonly overrides: readonly {
    readonly files: readonly string[]
    readonly rules: {
      readonly 'no-restricted-imports'?: readonly [
        string,
        { patterns: readonly { readonly group: readonly string[] }[] }
      ]
    }
  }[]
}

/** The rooms of docs/architecture.md, from the top down. */
function documentedRooms(): Room[] {
  const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8')
  return [...page.matchAll(/^\| `src\/([\w.]+)\/?` +\|.*\| (.*?) +\|$/gm)].map(([, name = '', cell = '']) => ({
    name,
    mayImport: cell === 'nothing' ? [] : cell.split(', ').map((quoted) => quoted.replaceAll('`', ''))
  }))
}

test('docs/architecture.md names every room of src, each importing only rooms below it', () => {
  const rooms = documentedRooms()
  const names = rooms.map(({ name }) => name)
  assert.deepEqual(names.toSorted(), readdirSync(join(ROOT, 'src')).toSorted())
  for (const [index, { name, mayImport }] of rooms.entries()) {
    for (const imported of mayImport) assert.ok(names.indexOf(imported) > index, `${name} above ${imported}`)
  }
})

test('the lint forbids each room what docs/architecture.md does not let it import', () => {
  const lint: LintFile = JSON.parse(readFileSync(join(ROOT, LINT_FILE), 'utf8'))
  // The playground in web/ is no room: it imports nothing of src/.
  const overrides = lint.overrides.filter(
    ({ files, rules }) => rules['no-restricted-imports'] && files.some((pattern) => !pattern.startsWith('web/'))
  )
  const rooms = documentedRooms().filter(({ name }) => name !== 'errors.ts')
  assert.deepEqual(
    overrides.flatMap(({ files }) => files),
    rooms.map(({ name }) => `src/${name}/**/*.ts`)
  )
  for (const [index, { name, mayImport }] of rooms.entries()) {
    const forbidden = overrides[index]?.rules['no-restricted-imports']?.[1].patterns.flatMap(({ group }) => group)
    const others = rooms.filter((room) => room.name !== name && !mayImport.includes(room.name))
    assert.deepEqual(
      forbidden?.filter((pattern) => pattern.startsWith('**/')).toSorted(),
      others.map((room) => `**/${room.name}/**`).toSorted(),
      name
    )
  }
})

test('the lint is red when a room imports what it may not, by whatever kind of import, or files import each other', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rooms-'))
  t.after(() => rmSync(folder, { recursive: true }))
  cpSync(join(ROOT, LINT_FILE), join(folder, LINT_FILE))
  const files = {
    'src/jobs/static.ts': "import { buildApp } from '../server/app.ts'\nexport const app = buildApp\n",
    'src/jobs/type.ts': "import type { Config } from '../config/settings.ts'\nexport type Settings = Config\n",
    'src/jobs/dynamic.ts': "export const stores = await import('../platform/aws-stores.ts')\n",
    'src/review/package.ts': "import type { FastifyInstance } from 'fastify'\nexport type App = FastifyInstance\n",
    'src/table/one.ts': "import type { Two } from './two.ts'\nexport type One = Two\n",
    'src/table/two.ts': "import type { One } from './one.ts'\nexport type Two = One\n",
    'src/jobs/fine.ts': "import { ServiceError } from '../errors.ts'\nexport const error = ServiceError\n"
  }
  for (const room of ['jobs', 'review', 'table']) mkdirSync(join(folder, 'src', room), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const oxlint = join(ROOT, 'node_modules/oxlint/bin/oxlint')
  const run = promisify(execFile)(process.execPath, [oxlint, '--format=unix', 'src'], { cwd: folder })
  const { stdout } = await run.then(
    () => assert.fail('nothing was found'),
    (error: unknown) => (error instanceof Error && 'stdout' in error ? { stdout: String(error.stdout) } : assert.fail())
  )
  const found = [...stdout.matchAll(/^(src\/\S+?):\d.*\/(?:eslint|import)\(([\w-]+)\)\]$/gm)]
  assert.deepEqual(
    found.map(([, file, rule]) => `${file} ${rule}`).toSorted(),
    [
      'src/jobs/dynamic.ts no-restricted-imports',
      'src/jobs/static.ts no-restricted-imports',
      'src/jobs/type.ts no-restricted-imports',
      'src/review/package.ts no-restricted-imports',
      'src/table/one.ts no-cycle',
      'src/table/two.ts no-cycle'
    ],
    stdout
  )
})
