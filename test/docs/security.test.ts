/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { InjectOptions } from 'fastify'
import { MAX_KEY_FILE_BYTES, MAX_KEYS } from '../../src/server/callers/key-file.ts'
import { SCOPES, type Scope } from '../../src/server/callers/scope.ts'
import { bearerOf, keyOf, openFullApp } from '../server/full-app.ts'
import { operationsOf, type OpenApiDocument } from './openapi-document.ts'

const PAGE = join(import.meta.dirname, '../../docs/security.md')

/** A row of the table: a route, and the callers that it takes. */
interface Row {
  readonly method: NonNullable<InjectOptions['method']>
  readonly path: string
  readonly callers: 'everyone' | 'any' | readonly Scope[]
}

async function documentedRows(): Promise<Row[]> {
  const page = await readFile(PAGE, 'utf8')
  const rows = [...page.matchAll(/^\| `(GET|POST|PUT|DELETE) (\/\S*)` +\| (.+?) +\|$/gm)]
  return rows.map(([, method = '', path = '', callers = '']) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the pattern takes no other
    const known = method as 'GET' | 'POST' | 'PUT' | 'DELETE'
    if (callers === 'everyone' || callers === 'any') return { method: known, path, callers }
    const scopes = callers.split(', ').map((quoted) => quoted.replaceAll('`', ''))
    for (const scope of scopes)
      assert.ok(
        SCOPES.some((each) => each === scope),
        `${path}: ${scope}`
      )
    return { method: known, path, callers: SCOPES.filter((scope) => scopes.includes(scope)) }
  })
}

/** The path of a route as the page has it. Each file of the playground has a route of its own. */
function documentedPath(url: string): string {
  return url.replaceAll(/:(\w+)/g, '{$1}').replace(/(?<=^\/playground\/assets\/).*$/, '{file}')
}

/** Whether a key with one scope is let in, as the page says. */
function isLetIn({ callers }: Row, scope: Scope): boolean {
  return typeof callers === 'string' || callers.includes(scope) || scope === 'admin'
}

test('docs/security.md has every route, and no other', async (t) => {
  const { app } = await openFullApp(t, [])
  const routes = app.scopedRoutes.filter(({ method }) => method !== 'HEAD')
  const rows = await documentedRows()
  assert.deepEqual(
    rows.map(({ method, path }) => `${method} ${path}`).toSorted(),
    routes.map(({ method, url }) => `${method} ${documentedPath(url)}`).toSorted()
  )
})

test('each route lets in whom docs/security.md names, and refuses everyone else', async (t) => {
  const { app } = await openFullApp(
    t,
    SCOPES.map((scope) => keyOf(`key-${scope}`, [scope]))
  )
  const rows = await documentedRows()
  assert.ok(rows.length > 60)
  for (const row of rows) {
    // What a browser may prefetch is let in like what it shows.
    for (const method of row.method === 'GET' ? (['GET', 'HEAD'] as const) : [row.method]) {
      const url = row.path.replaceAll(/\{\w+\}/g, 'one').replace('*', 'index.css')
      const name = `${method} ${row.path}`
      const statusWith = async (headers: Record<string, string>): Promise<number> =>
        (await app.inject({ method, url, headers })).statusCode
      const isOpen = row.callers === 'everyone'
      for (const headers of [{}, bearerOf('key-unknown')]) {
        const status = await statusWith(headers)
        assert.ok(isOpen ? status !== 401 && status !== 403 : status === 401, `${name} without a key: ${status}`)
      }
      for (const scope of SCOPES) {
        const status = await statusWith(bearerOf(`key-${scope}`))
        const isRight = isLetIn(row, scope) ? status !== 401 && status !== 403 : status === 403
        assert.ok(isRight, `${name} with the scope ${scope}: ${status}`)
      }
    }
  }
})

test('the API page shows of each operation the scopes that docs/security.md has', async (t) => {
  const { app } = await openFullApp(t, [])
  const document: OpenApiDocument = (await app.inject('/docs/json')).json()
  const operations = operationsOf(document)
  const rows = new Map((await documentedRows()).map((row) => [`${row.method} ${row.path}`, row]))
  assert.ok(operations.length > 60)
  for (const { name, security, description = '' } of operations) {
    const callers = rows.get(name.replace(/(?<=\w)\/$/, ''))?.callers
    assert.ok(callers !== undefined, name)
    if (callers === 'everyone') assert.deepEqual(security, [], name)
    else if (callers === 'any') assert.deepEqual(security, [{ bearer: [] }], name)
    else {
      assert.deepEqual(security?.flatMap(({ bearer = [] }) => bearer).toSorted(), callers.toSorted(), name)
      for (const scope of callers) assert.match(description, new RegExp(`\nScope: .*\`${scope}\``), name)
    }
  }
})

test('docs/security.md has the limits of the file of keys as the code has them', async () => {
  const page = await readFile(PAGE, 'utf8')
  assert.ok(page.includes(`up to ${MAX_KEYS} keys and ${MAX_KEY_FILE_BYTES / 2 ** 20} MiB`))
})
