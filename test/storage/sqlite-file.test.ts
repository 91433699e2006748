/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { SqliteFile, describeOpenFailure, type Migration } from '../../src/storage/sqlite-file.ts'
import { temporaryFolder } from '../server/mentor-app.ts'

const step =
  (name: string): Migration =>
  (file) =>
    file.run('INSERT INTO steps VALUES (?)', name)

const fail: Migration = () => {
  throw new Error('a step fails')
}
const change = (file: SqliteFile, name: string, count: number) =>
  file.run('REPLACE INTO counts VALUES (?, ?)', name, count)
const steps = (file: SqliteFile) => file.all('SELECT name FROM steps').map(({ name }) => name)

test('migrate() runs the steps that a file has not had, in order, each once', async (t) => {
  const path = join(await temporaryFolder(t), 'steps.db')
  const first = new SqliteFile(path)
  t.after(() => first.close())
  first.define('CREATE TABLE steps (name TEXT) STRICT;')
  first.migrate([step('one'), step('two')])
  first.migrate([step('one'), step('two')])
  assert.deepEqual(steps(first), ['one', 'two'])
  const later = new SqliteFile(path)
  t.after(() => later.close())
  later.migrate([step('one'), step('two'), step('three')])
  assert.deepEqual(steps(first), ['one', 'two', 'three'])
  // An older program on the same file does nothing to it.
  first.migrate([step('one'), step('two')])
  assert.deepEqual([steps(first), first.pragma('user_version')], [['one', 'two', 'three'], 3])
})

test('migrate() leaves a file as it was when a step fails', async (t) => {
  const file = new SqliteFile(join(await temporaryFolder(t), 'steps.db'))
  t.after(() => file.close())
  file.define('CREATE TABLE steps (name TEXT) STRICT;')
  assert.throws(() => file.migrate([step('one'), fail]), /a step fails/)
  assert.deepEqual([file.all('SELECT * FROM steps'), file.pragma('user_version')], [[], 0])
})

test('a new file may be opened by several at the same moment', async (t) => {
  const folder = await temporaryFolder(t)
  const paths = Array.from({ length: 100 }, (_, i) => join(folder, `${i}.db`))
  const threadCount = 4
  const ready = new Int32Array(new SharedArrayBuffer(paths.length * Int32Array.BYTES_PER_ELEMENT))
  const errors = await Promise.all(
    Array.from({ length: threadCount }, async () => {
      const worker = new Worker(new URL('open-at-once-worker.ts', import.meta.url), {
        workerData: { paths, threadCount, ready }
      })
      const [met]: string[][] = await once(worker, 'message')
      return met
    })
  )
  assert.deepEqual(errors.flat(), [])
})

test('a large value is not kept in memory once it is written', async (t) => {
  const path = join(await temporaryFolder(t), 'large.db')
  const program = `
    import { SqliteFile } from ${JSON.stringify(new URL('../../src/storage/sqlite-file.ts', import.meta.url).href)}
    const file = new SqliteFile(${JSON.stringify(path)})
    file.define('CREATE TABLE blobs (id INTEGER PRIMARY KEY, bytes BLOB) STRICT;')
    const insert = (id, length) => file.insert('INSERT INTO blobs VALUES (?, ?)', id, new Uint8Array(length))
    insert(1, 10)
    gc()
    const before = process.memoryUsage.rss()
    insert(2, ${128 * 2 ** 20})
    gc()
    console.log(process.memoryUsage.rss() - before)
    insert(3, 10)
    console.log(file.all('SELECT id FROM blobs').length)
  `
  const env = { ...process.env, MALLOC_MMAP_THRESHOLD_: '131072' }
  const args = ['--expose-gc', '--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env })
  const [grownBytes, rowCount] = stdout.trim().split('\n').map(Number)
  assert.equal(rowCount, 3)
  assert.ok(grownBytes !== undefined && grownBytes < 64 * 2 ** 20, `${grownBytes} bytes more`)
})

test('recall() sees every change of the file, by any connection and also a transaction that is undone', async (t) => {
  const path = join(await temporaryFolder(t), 'rows.db')
  const [file, other] = [new SqliteFile(path), new SqliteFile(path)] as const
  t.after(() => {
    file.close()
    other.close()
  })
  file.define('CREATE TABLE counts (name TEXT PRIMARY KEY, count INTEGER) STRICT;')
  const recalled = (name: string) => file.recall('SELECT count FROM counts WHERE name = ?', name)?.['count']

  assert.equal(recalled('a'), undefined)
  change(file, 'a', 1)
  assert.equal(recalled('a'), 1)
  change(other, 'a', 2)
  await nextTurn()
  assert.deepEqual([recalled('a'), recalled('a'), recalled('b')], [2, 2, undefined])
  other.transact(false, () => {
    change(other, 'a', 3)
    change(other, 'b', 4)
    assert.deepEqual([recalled('a'), recalled('b')], [2, undefined], 'not before the commit')
  })
  await nextTurn()
  assert.deepEqual([recalled('a'), recalled('b')], [3, 4])
  assert.throws(() =>
    file.transact(false, () => {
      change(file, 'a', 5)
      assert.equal(recalled('a'), 5)
      throw new Error('undone')
    })
  )
  assert.equal(recalled('a'), 3)
  assert.equal(file.recall('SELECT count + 1 AS count FROM counts WHERE name = ?', 'a')?.['count'], 4)
})

test('recall() in a transaction sees what others have committed before it, also in the same callback', async (t) => {
  const path = join(await temporaryFolder(t), 'rows.db')
  const [file, other] = [new SqliteFile(path), new SqliteFile(path)] as const
  t.after(() => {
    file.close()
    other.close()
  })
  file.define('CREATE TABLE counts (name TEXT PRIMARY KEY, count INTEGER) STRICT;')
  change(file, 'a', 1)
  const recalled = () => file.recall('SELECT count FROM counts WHERE name = ?', 'a')?.['count']
  assert.equal(recalled(), 1)
  change(other, 'a', 2)
  assert.equal(file.transact(false, recalled), 2)
})

test('recall() reads an unchanged row once', async (t) => {
  const file = new SqliteFile(join(await temporaryFolder(t), 'rows.db'))
  t.after(() => file.close())
  const random = () => file.recall('SELECT hex(randomblob(8)) AS value WHERE ? IS NOT NULL', 'a')?.['value']
  file.define('CREATE TABLE counts (count INTEGER) STRICT;')
  const first = random()
  assert.equal(random(), first)
  file.run('INSERT INTO counts VALUES (1)')
  assert.notEqual(random(), first)
})

test('describeOpenFailure() says what Node.js calls ENOENT on a read-only file system', () => {
  const error = Object.assign(new Error('ENOENT: no such file or directory, mkdir'), { code: 'ENOENT' })
  assert.equal(
    describeOpenFailure(error),
    'its folder cannot be created, as on a read-only file system (ENOENT: no such file or directory, mkdir)'
  )
})
