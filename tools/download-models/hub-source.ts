/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createWriteStream } from 'node:fs'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { EnvHttpProxyAgent, interceptors, request, type Dispatcher } from 'undici'
import type { Manifest, ModelFile } from './manifest.ts'
import { WrongFileError } from './model-folder.ts'
import { reasonOf, type DownloadProgress, type FetchContext, type ModelSource } from './model-source.ts'

/** Address of the hub, and time limits. */
export interface HubOptions {
  /** The hub, or a mirror of it: `HF_ENDPOINT`, as in Hugging Face's own tools. */
  readonly endpoint: string
  /** Time without data after which a connection counts as broken. */
  readonly silenceMs?: number
  /** Wait before the first retry; doubles with each retry that brings no new bytes. */
  readonly retryWaitMs?: number
  /** Failures in a row, without one new byte between them, after which the source has failed. */
  readonly maxFailures?: number
}

/** Statuses of temporary errors: overload, a gateway that restarts. */
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

/**
 * Errors of connections that broke after they were established. A connection that cannot be established is not retried,
 * so that the next source is tried sooner.
 */
const PASSING_CODES: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT'
])

const RANGE_NOT_SATISFIABLE = 416

/** The hub answered, but not with the file. */
class HubStatusError extends Error {
  override readonly name = 'HubStatusError'
  readonly status: number

  constructor(status: number, url: string) {
    super(`HTTP ${status} for ${url}`)
    this.status = status
  }
}

/**
 * The Hugging Face hub, at the manifest's revision. An interrupted download resumes where it stopped, in this run or
 * the next (`Range`, `If-Range`). Proxies are taken from `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
 */
export class HubSource implements ModelSource {
  readonly name = 'huggingface'
  readonly origin: string
  readonly #silenceMs: number
  readonly #retryWaitMs: number
  readonly #maxFailures: number

  constructor(hub: Manifest['huggingface'], options: HubOptions) {
    this.origin = `${options.endpoint.replace(/\/+$/, '')}/${hub.repository}/resolve/${hub.revision}`
    this.#silenceMs = options.silenceMs ?? 30_000
    this.#retryWaitMs = options.retryWaitMs ?? 500
    this.#maxFailures = options.maxFailures ?? 5
  }

  async fetch(files: readonly ModelFile[], context: FetchContext): Promise<void> {
    const agent = new EnvHttpProxyAgent({ headersTimeout: this.#silenceMs, bodyTimeout: this.#silenceMs })
    const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: 5 }))
    try {
      for (const file of files) await this.#fetchFile(file, dispatcher, context)
    } finally {
      await agent.destroy()
    }
  }

  async #fetchFile(file: ModelFile, dispatcher: Dispatcher, context: FetchContext): Promise<void> {
    const { progress, signal } = context
    const partPath = await context.folder.partPathOf(file)
    let failureCount = 0
    for (;;) {
      const partBytes = await sizeOf(partPath)
      try {
        await this.#continue(file, partPath, partBytes, dispatcher, context)
        return
      } catch (error) {
        signal.throwIfAborted()
        const isSpoiled = partBytes > 0 && isForeignPart(error)
        if (isSpoiled) await rm(partPath, { force: true })
        else if (!isPassing(error)) throw error
        const hasMore = (await sizeOf(partPath)) > partBytes
        failureCount = hasMore ? 1 : failureCount + 1
        if (failureCount >= this.#maxFailures) throw error
        progress.note(`${file.path}: ${reasonOf(error)}; trying again`)
        await wait(this.#retryWaitMs * 2 ** (failureCount - 1), undefined, { signal })
      }
    }
  }

  /** One request: appends what is missing of the part, then checks and places it. */
  async #continue(
    file: ModelFile,
    partPath: string,
    partBytes: number,
    dispatcher: Dispatcher,
    { folder, progress, signal }: FetchContext
  ): Promise<void> {
    if (partBytes < file.bytes) {
      const url = `${this.origin}/${file.path}`
      const etag = partBytes === 0 ? undefined : await readFile(etagPathOf(partPath), 'utf8').catch(() => undefined)
      const { statusCode, headers, body } = await request(url, {
        dispatcher,
        signal,
        headers: {
          'user-agent': 'sbert-service',
          'accept-encoding': 'identity',
          ...(etag === undefined ? {} : { range: `bytes=${partBytes}-`, 'if-range': etag })
        }
      })
      const isContinued = statusCode === 206 && String(headers['content-range']).startsWith(`bytes ${partBytes}-`)
      if (statusCode !== 200 && !isContinued) {
        await body.dump()
        throw new HubStatusError(statusCode, url)
      }
      const offset = isContinued ? partBytes : 0
      const announcedBytes = offset + Number(headers['content-length'] ?? file.bytes - offset)
      if (announcedBytes !== file.bytes) {
        await body.dump()
        throw new WrongFileError(`${url}: ${announcedBytes} bytes instead of ${file.bytes}`)
      }
      await keepEtag(partPath, headers['etag'])
      await append(body, partPath, offset, file, progress)
    }
    await folder.accept(file)
    await rm(etagPathOf(partPath), { force: true })
  }
}

/** Whether the earlier part and the new bytes belong to different files, so that the download must restart. */
function isForeignPart(error: unknown): boolean {
  return error instanceof WrongFileError || (error instanceof HubStatusError && error.status === RANGE_NOT_SATISFIABLE)
}

function isPassing(error: unknown): boolean {
  if (error instanceof HubStatusError) return PASSING_STATUS.has(error.status)
  return error instanceof Error && 'code' in error && PASSING_CODES.has(String(error.code))
}

/** Writes the stream to the part from byte `offset` on; what came before a failure stays. */
async function append(
  stream: AsyncIterable<Uint8Array>,
  partPath: string,
  offset: number,
  file: ModelFile,
  progress: DownloadProgress
): Promise<void> {
  let doneBytes = offset
  await pipeline(
    stream,
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        doneBytes += chunk.length
        // Without a Content-Length nothing else would end a stream that never ends.
        if (doneBytes > file.bytes) throw new WrongFileError(`${file.path}: more than ${file.bytes} bytes`)
        yield chunk
        progress.advance(file, doneBytes)
      }
    },
    createWriteStream(partPath, { flags: offset === 0 ? 'w' : 'a' })
  )
}

function etagPathOf(partPath: string): string {
  return `${partPath}.etag`
}

/**
 * Stores the ETag of the file that the part belongs to. Only a strong ETag may stand in `If-Range` (RFC 9110, 13.1.5).
 */
async function keepEtag(partPath: string, etag: string | string[] | undefined): Promise<void> {
  if (typeof etag === 'string' && etag.startsWith('"')) await writeFile(etagPathOf(partPath), etag)
  else await rm(etagPathOf(partPath), { force: true })
}

async function sizeOf(path: string): Promise<number> {
  const stats = await stat(path).catch(() => undefined)
  return stats?.size ?? 0
}
