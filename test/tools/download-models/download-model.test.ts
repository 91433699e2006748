/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { chmod, readdir, readFile, stat } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { DownloadError, downloadModel, type SourceFailure } from '../../../tools/download-models/download-model.ts'
import { HubSource } from '../../../tools/download-models/hub-source.ts'
import { LocalSource } from '../../../tools/download-models/local-source.ts'
import type { DownloadProgress, ModelSource } from '../../../tools/download-models/model-source.ts'
import {
  CONTENT,
  MANIFEST,
  WEIGHTS,
  contentOf,
  etagOf,
  recordProgress,
  startHub,
  temporaryFolder,
  writeFiles,
  type Hub
} from './setup.ts'

/** Half of the weights, where a connection breaks. */
const HALF = contentOf(WEIGHTS).length / 2

interface Attempt {
  readonly folderPath: string
  readonly sources: readonly (ModelSource | SourceFailure)[]
  readonly progress?: DownloadProgress
  readonly signal?: AbortSignal
}

function download({ progress = recordProgress(), signal = new AbortController().signal, ...attempt }: Attempt) {
  return downloadModel({ manifest: MANIFEST, progress, signal, ...attempt })
}

/** The hub as a source that neither waits long nor tries often. */
function impatient(hub: Pick<Hub, 'endpoint'>): HubSource {
  return new HubSource(MANIFEST.huggingface, { endpoint: hub.endpoint, silenceMs: 100, retryWaitMs: 1, maxFailures: 2 })
}

async function assertWhole(folderPath: string): Promise<void> {
  for (const [path, bytes] of Object.entries(CONTENT)) {
    assert.ok(bytes.equals(await readFile(join(folderPath, path))), `${path} has the manifest's bytes`)
  }
  assert.deepEqual(await leftovers(folderPath), [])
}

/** What a download left beside the files: parts, ETags, wheels. */
async function leftovers(folderPath: string): Promise<string[]> {
  const names = await readdir(folderPath, { recursive: true })
  return names.filter((name) => /\.part|\.wheel/.test(name))
}

/** The reason that the only source failed for. */
async function failureOf(attempt: Attempt): Promise<string> {
  try {
    await download(attempt)
  } catch (error) {
    assert.ok(error instanceof DownloadError, String(error))
    assert.equal(error.failures.length, 1)
    return error.failures[0]?.reason ?? ''
  }
  return assert.fail('the download succeeded')
}

test('downloadModel() fetches every file from the hub; a second run asks for nothing', async (t) => {
  const hub = await startHub(t)
  const folderPath = await temporaryFolder(t)
  assert.deepEqual(await download({ folderPath, sources: [impatient(hub)] }), ['huggingface'])
  await assertWhole(folderPath)
  assert.deepEqual(
    hub.requests.map((request) => request.path),
    Object.keys(CONTENT)
  )
  assert.deepEqual(await download({ folderPath, sources: [impatient(hub)] }), [])
  assert.equal(hub.requests.length, Object.keys(CONTENT).length)
})

test('downloadModel() fetches again what was damaged or cut on the disk, and only that', async (t) => {
  const hub = await startHub(t)
  for (const damaged of [Buffer.alloc(contentOf(WEIGHTS).length), contentOf(WEIGHTS).subarray(0, HALF)]) {
    const folderPath = await temporaryFolder(t)
    await writeFiles(folderPath, { ...CONTENT, [WEIGHTS]: damaged })
    const before = hub.requests.length
    assert.deepEqual(await download({ folderPath, sources: [impatient(hub)] }), ['huggingface'])
    assert.deepEqual(
      hub.requests.slice(before).map((request) => request.path),
      [WEIGHTS]
    )
    await assertWhole(folderPath)
  }
})

/** A hub whose first answer for the weights stops half-way; `breakOff()` then breaks that connection. */
async function startHalfHub(
  t: TestContext,
  etag = etagOf(contentOf(WEIGHTS))
): Promise<{ hub: Hub; breakOff: () => void }> {
  let answer: ServerResponse | undefined
  const hub = await startHub(t, (path, _request, response) => {
    if (path !== WEIGHTS || answer !== undefined) return false
    answer = response
    const bytes = contentOf(WEIGHTS)
    response.writeHead(200, { 'content-length': bytes.length, etag }).write(bytes.subarray(0, HALF))
    return true
  })
  return { hub, breakOff: () => answer?.destroy() }
}

/** Calls back when half of the weights is on the disk. */
function atHalf(callback: () => void): ReturnType<typeof recordProgress> {
  return recordProgress((path, doneBytes) => {
    if (path === WEIGHTS && doneBytes === HALF) callback()
  })
}

test('HubSource continues in the same run when the connection breaks', async (t) => {
  const { hub, breakOff } = await startHalfHub(t)
  const folderPath = await temporaryFolder(t)
  const progress = atHalf(breakOff)
  await download({ folderPath, sources: [impatient(hub)], progress })
  await assertWhole(folderPath)
  const continued = hub.requests.at(-1)
  assert.equal(continued?.range, `bytes=${HALF}-`)
  assert.equal(continued?.ifRange, etagOf(contentOf(WEIGHTS)))
  assert.match(progress.notes.join('\n'), /model\.safetensors: .*; trying again/)
})

test('HubSource continues in a later run what an interrupted one began', async (t) => {
  const { hub } = await startHalfHub(t)
  const folderPath = await temporaryFolder(t)
  const interrupt = new AbortController()
  const progress = atHalf(() => interrupt.abort(new Error('Ctrl-C')))
  await assert.rejects(
    download({ folderPath, sources: [impatient(hub)], progress, signal: interrupt.signal }),
    /Ctrl-C|aborted/
  )
  await assert.rejects(stat(join(folderPath, WEIGHTS)), 'no half file has the final name')
  assert.equal((await stat(join(folderPath, `${WEIGHTS}.part`))).size, HALF)

  await download({ folderPath, sources: [impatient(hub)] })
  await assertWhole(folderPath)
  assert.deepEqual(hub.requests.at(-1)?.range, `bytes=${HALF}-`)
})

test('HubSource begins again when the file changed since the part was fetched', async (t) => {
  const hub = await startHub(t)
  const folderPath = await temporaryFolder(t)
  await writeFiles(folderPath, {
    [`${WEIGHTS}.part`]: Buffer.alloc(HALF),
    [`${WEIGHTS}.part.etag`]: Buffer.from('"old"')
  })
  await download({ folderPath, sources: [impatient(hub)] })
  await assertWhole(folderPath)
  assert.equal(hub.requests.at(-1)?.ifRange, '"old"')
})

test('HubSource begins again, once, when a continued part turns out to be of other bytes', async (t) => {
  const hub = await startHub(t)
  const etag = Buffer.from(etagOf(contentOf(WEIGHTS)))
  for (const part of [Buffer.alloc(HALF), Buffer.alloc(HALF * 2), Buffer.alloc(HALF * 3)]) {
    const folderPath = await temporaryFolder(t)
    await writeFiles(folderPath, { [`${WEIGHTS}.part`]: part, [`${WEIGHTS}.part.etag`]: etag })
    await download({ folderPath, sources: [impatient(hub)] })
    await assertWhole(folderPath)
    assert.equal(hub.requests.at(-1)?.range, undefined)
  }
})

test('HubSource begins again when the hub has no such range', async (t) => {
  const hub = await startHub(t, (_path, request, response) => {
    if (request.headers.range === undefined) return false
    response.writeHead(416).end()
    return true
  })
  const folderPath = await temporaryFolder(t)
  const etag = Buffer.from(etagOf(contentOf(WEIGHTS)))
  await writeFiles(folderPath, { [`${WEIGHTS}.part`]: Buffer.alloc(HALF), [`${WEIGHTS}.part.etag`]: etag })
  await download({ folderPath, sources: [impatient(hub)] })
  await assertWhole(folderPath)
})

test('HubSource does not continue on a weak ETag', async (t) => {
  const { hub, breakOff } = await startHalfHub(t, 'W/"1"')
  const folderPath = await temporaryFolder(t)
  await download({ folderPath, sources: [impatient(hub)], progress: atHalf(breakOff) })
  await assertWhole(folderPath)
  assert.deepEqual(
    hub.requests.map((request) => request.range),
    [undefined, undefined, undefined]
  )
})

test('HubSource follows the redirect to the store of big files, ranges included', async (t) => {
  const { hub: store, breakOff } = await startHalfHub(t)
  const hub = await startHub(t, (_path, request, response) => {
    response.writeHead(302, { location: `${store.endpoint}${request.url}` }).end()
    return true
  })
  const folderPath = await temporaryFolder(t)
  const progress = atHalf(breakOff)
  await download({ folderPath, sources: [impatient(hub)], progress })
  await assertWhole(folderPath)
  assert.equal(store.requests.at(-1)?.range, `bytes=${HALF}-`)
})

test('HubSource tries again after an overload', async (t) => {
  const hub = await startHub(t, (_path, _request, response) => {
    if (hub.requests.length > 1) return false
    response.writeHead(503).end('busy')
    return true
  })
  const folderPath = await temporaryFolder(t)
  await download({ folderPath, sources: [impatient(hub)] })
  await assertWhole(folderPath)
})

test('HubSource gives up on a hub that falls silent', async (t) => {
  const hub = await startHub(t, () => true)
  const folderPath = await temporaryFolder(t)
  assert.match(await failureOf({ folderPath, sources: [impatient(hub)] }), /Timeout/i)
  assert.equal(hub.requests.length, 2, 'maxFailures requests')
})

test('HubSource does not ask again for what is not there', async (t) => {
  const hub = await startHub(t, (_path, _request, response) => {
    response.writeHead(404).end('Entry not found')
    return true
  })
  const folderPath = await temporaryFolder(t)
  assert.match(
    await failureOf({ folderPath, sources: [impatient(hub)] }),
    /^HTTP 404 for http.*1_Pooling\/config\.json$/
  )
  assert.equal(hub.requests.length, 1)
})

test('HubSource says so when nobody listens', async (t) => {
  const folderPath = await temporaryFolder(t)
  const sources = [impatient({ endpoint: 'http://127.0.0.1:1' })]
  assert.match(await failureOf({ folderPath, sources }), /ECONNREFUSED/)
})

test('HubSource refuses bytes that are not the manifest’s and leaves nothing of them', async (t) => {
  const wrong = Buffer.alloc(contentOf(WEIGHTS).length)
  const answers: readonly [RegExp, Record<string, string | number>, Buffer][] = [
    [/SHA-256/, { 'content-length': wrong.length }, wrong],
    [/12 bytes instead of/, { 'content-length': 12, 'content-type': 'text/html' }, Buffer.from('please login')],
    [/more than 200000 bytes/, {}, Buffer.alloc(wrong.length + 1)],
    [/12 bytes instead of/, {}, Buffer.from('please login')]
  ]
  for (const [reason, headers, body] of answers) {
    const hub = await startHub(t, (path, _request, response) => {
      if (path !== WEIGHTS) return false
      response.writeHead(200, headers)
      // Written before it is ended, so that Node sends it in chunks where no length is announced.
      response.write(body)
      response.end()
      return true
    })
    const folderPath = await temporaryFolder(t)
    assert.match(await failureOf({ folderPath, sources: [impatient(hub)] }), reason)
    await assert.rejects(stat(join(folderPath, WEIGHTS)), { code: 'ENOENT' })
    assert.equal(
      hub.requests.filter((request) => request.path === WEIGHTS).length,
      1,
      'the same bytes are not asked twice'
    )
  }
})

test('LocalSource copies a folder, also one that may not be written to', async (t) => {
  const [modelPath, folderPath] = [await temporaryFolder(t), await temporaryFolder(t)]
  await writeFiles(modelPath, CONTENT)
  await chmod(join(modelPath, WEIGHTS), 0o444)
  assert.deepEqual(await download({ folderPath, sources: [new LocalSource(modelPath)] }), ['local'])
  await assertWhole(folderPath)
  assert.equal((await stat(join(folderPath, WEIGHTS))).mode & 0o200, 0o200)
})

test('LocalSource says what is wrong with the folder', async (t) => {
  const [modelPath, folderPath] = [await temporaryFolder(t), await temporaryFolder(t)]
  const noFolder = new LocalSource(join(modelPath, 'nowhere'))
  assert.match(await failureOf({ folderPath, sources: [noFolder] }), /MODEL_PATH is not a folder: .*nowhere/)
  const source = new LocalSource(modelPath)
  assert.match(await failureOf({ folderPath, sources: [source] }), /no such file.*1_Pooling/)
  await writeFiles(modelPath, { ...CONTENT, [WEIGHTS]: Buffer.from('version https://git-lfs.github.com/spec/v1') })
  assert.match(await failureOf({ folderPath, sources: [source] }), /model\.safetensors .*42 bytes instead of 200000/)
  await assert.rejects(stat(join(folderPath, WEIGHTS)), { code: 'ENOENT' })
})

test('downloadModel() takes from the next source what the one before lacks', async (t) => {
  const [modelPath, folderPath] = [await temporaryFolder(t), await temporaryFolder(t)]
  await writeFiles(modelPath, { '1_Pooling/config.json': contentOf('1_Pooling/config.json') })
  const hub = await startHub(t)
  const fetchedFrom = await download({ folderPath, sources: [new LocalSource(modelPath), impatient(hub)] })
  assert.deepEqual(fetchedFrom, ['local', 'huggingface'])
  assert.deepEqual(
    hub.requests.map((request) => request.path),
    [WEIGHTS]
  )
  await assertWhole(folderPath)
})

test('downloadModel() says which sources were tried and why each failed', async (t) => {
  const hub = await startHub(t, (_path, _request, response) => {
    response.writeHead(403).end()
    return true
  })
  const folderPath = await temporaryFolder(t)
  const sources = [{ name: 'local', reason: 'MODEL_PATH is not set' } as const, impatient(hub)]
  await assert.rejects(download({ folderPath, sources }), (error: Error) => {
    assert.ok(error instanceof DownloadError)
    const [headline, local, huggingface] = error.message.split('\n')
    assert.equal(
      headline,
      'Cannot download tiny-model: still without 1_Pooling/config.json, model.safetensors. Sources tried:'
    )
    assert.equal(local, '  local        MODEL_PATH is not set')
    assert.match(huggingface ?? '', /^ {2}huggingface {2}HTTP 403 for http/)
    return true
  })
})

test('downloadModel() lets one of two at the same time work and the other wait', async (t) => {
  const { hub, breakOff } = await startHalfHub(t)
  const folderPath = await temporaryFolder(t)
  const isWaiting = Promise.withResolvers<void>()
  const waiting: DownloadProgress = { advance: () => undefined, note: () => isWaiting.resolve() }
  const isHalf = Promise.withResolvers<void>()
  const progress = atHalf(() => isHalf.resolve())
  const patient = new HubSource(MANIFEST.huggingface, { endpoint: hub.endpoint, retryWaitMs: 1 })
  const first = download({ folderPath, sources: [patient], progress })
  await isHalf.promise
  const second = download({ folderPath, sources: [impatient(hub)], progress: waiting })
  await isWaiting.promise
  breakOff()
  assert.deepEqual(await Promise.all([first, second]), [['huggingface'], []])
  await assertWhole(folderPath)
  assert.equal(hub.requests.length, 3, 'two files and one continuation')
})

test('downloadModel() does not take a folder with the name of a file for the file', async (t) => {
  const [modelPath, folderPath] = [await temporaryFolder(t), await temporaryFolder(t)]
  await writeFiles(modelPath, CONTENT)
  await writeFiles(folderPath, { [`${WEIGHTS}/file`]: Buffer.from('') })
  assert.match(await failureOf({ folderPath, sources: [new LocalSource(modelPath)] }), /EISDIR|ENOTEMPTY|EEXIST/)
})
