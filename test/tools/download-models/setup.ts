/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Manifest } from '../../../tools/download-models/manifest.ts'
import type { DownloadProgress } from '../../../tools/download-models/model-source.ts'

/** A model of two files, the second too big for one packet. */
export const CONTENT: Readonly<Record<string, Buffer>> = {
  '1_Pooling/config.json': Buffer.from('{"pooling_mode_mean_tokens": true}'),
  'model.safetensors': Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7919) % 251))
}

export const WEIGHTS = 'model.safetensors'

export const MANIFEST: Manifest = {
  name: 'tiny-model',
  license: 'Apache-2.0',
  huggingface: { repository: 'someone/tiny-model', revision: '0123456789abcdef0123456789abcdef01234567' },
  pypi: { package: 'tiny-model-wheel', version: '0.1.0', folder: 'tiny_model/model' },
  files: Object.entries(CONTENT).map(([path, bytes]) => ({
    path,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex')
  }))
}

/** The bytes of one of the model's files. */
export function contentOf(path: string): Buffer {
  const content = CONTENT[path]
  if (content === undefined) throw new Error(`This is a bug of the test: no file ${path}`)
  return content
}

/** A new folder that goes with the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'download-models-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Lays files into a folder. */
export async function writeFiles(folder: string, files: Readonly<Record<string, Buffer>>): Promise<void> {
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), bytes)
  }
}

/** One request that a {@link Hub} got. */
export interface HubRequest {
  /** Below the revision: `model.safetensors`. */
  readonly path: string
  readonly range: string | undefined
  readonly ifRange: string | undefined
}

/** A server that stands for the Hugging Face hub. */
export interface Hub {
  readonly endpoint: string
  readonly requests: readonly HubRequest[]
}

/** Answers a request, or leaves it to the hub by returning false. */
export type HubTrick = (path: string, request: IncomingMessage, response: ServerResponse) => boolean

/** Starts a hub that serves {@link CONTENT} at {@link MANIFEST}'s revision, with ranges, as the real one does. */
export async function startHub(t: TestContext, trick: HubTrick = () => false): Promise<Hub> {
  const requests: HubRequest[] = []
  const base = `/${MANIFEST.huggingface.repository}/resolve/${MANIFEST.huggingface.revision}/`
  const server = createServer((request, response) => {
    const path = request.url?.startsWith(base) === true ? request.url.slice(base.length) : `outside: ${request.url}`
    requests.push({ path, range: request.headers.range, ifRange: request.headers['if-range']?.toString() })
    if (!trick(path, request, response)) serveFile(path, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('This is a bug of the test: no TCP port')
  return { endpoint: `http://127.0.0.1:${address.port}`, requests }
}

/** The strong ETag that {@link serveFile} gives. */
export function etagOf(bytes: Buffer): string {
  return `"${createHash('sha256').update(bytes).digest('hex')}"`
}

/** Serves a file of {@link CONTENT}, whole or from an offset on (RFC 9110, 13.1.5 and 14.2). */
export function serveFile(path: string, request: IncomingMessage, response: ServerResponse): void {
  const bytes = CONTENT[path]
  if (bytes === undefined) {
    response.writeHead(404).end('Entry not found')
    return
  }
  const etag = etagOf(bytes)
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  if (from === 0 || request.headers['if-range'] !== etag) {
    response.writeHead(200, { 'content-length': bytes.length, etag }).end(bytes)
    return
  }
  response
    .writeHead(206, {
      'content-length': bytes.length - from,
      'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
      etag
    })
    .end(bytes.subarray(from))
}

/** Collects what a download says; `advanced` is called with every advance. */
export function recordProgress(
  advanced: (path: string, doneBytes: number) => void = () => undefined
): DownloadProgress & { readonly notes: readonly string[] } {
  const notes: string[] = []
  return { notes, note: (message) => notes.push(message), advance: (file, doneBytes) => advanced(file.path, doneBytes) }
}
