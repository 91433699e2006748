/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ServiceError } from '../errors.ts'
import { Admission, type AdmissionOptions } from './admission.ts'
import { Batcher, type BatcherObserver, type SentenceRequest } from './batcher.ts'
import type { Embeddings, EncodeOptions, Encoder } from './encoder.ts'
import { EncoderWorkerPool, type BatchResult } from './encoder-worker-pool.ts'
import type { TokenBatch } from './token-batch.ts'
import type { SessionSource } from './encoder-session.ts'
import {
  filesOf,
  MAX_BATCH_SENTENCES,
  readModelDescription,
  verifyModelFiles,
  type ModelDescription,
  type Precision
} from './model-files.ts'
import { chooseKernel, findNativeProgram, loadNativeProgram } from './native-program.ts'
import { runSelfTest } from './self-test.ts'
import { createTokenizer, type Tokenization, type Tokenizer } from './tokenizer.ts'

/** Observer of a {@link LocalEncoder}, for metrics. */
export interface EncoderObserver extends BatcherObserver {
  tokenized(sentenceCount: number, tokenizeMs: number): void
  workerCrashed(error: Error): void
}

export interface LocalEncoderOptions extends AdmissionOptions {
  /** Folder of a compiled model. */
  readonly folder: string
  readonly precision: Precision
  readonly workerCount: number
  readonly maxBatchTokens: number
  readonly observer?: Partial<EncoderObserver>
  /** Kernels of int8 by name: see native-program.ts. @default 'auto', the fastest that this CPU can run */
  readonly kernel?: string
  /** Where the native encoder is. @default where `make download-models` puts it */
  readonly nativeFolder?: string
  /** Called once, at the start, when int8 was asked for but cannot run; fp32 is then used. */
  readonly onInt8Missing?: (reason: string) => void
  /** The program of a worker; another one only where a test needs a worker that fails. */
  readonly workerUrl?: URL
}

/** Waiting and running work, for metrics. */
export interface EncoderLoad {
  readonly waitingSentences: number
  readonly waitingTokens: number
  readonly oldestAgeMs: number
  readonly liveWorkers: number
}

/** A model that has been loaded, has passed its self-test and is warm. */
interface LoadedModel {
  readonly description: ModelDescription
  readonly source: SessionSource
  readonly revision: string
  readonly tokenizer: Tokenizer
  readonly pool: EncoderWorkerPool
  readonly batcher: Batcher
}

/** Tokens of the shortest sentence: `[CLS]`, one token and `[SEP]`. */
const FEWEST_TOKENS = 3

/** A call of more sentences than this is bulk work unless it says otherwise. */
const MAX_INTERACTIVE_SENTENCES = 32

/**
 * Measured for int8: at least as many requests/s as with one batch, and p95 lower by a seventh. onnxruntime needs full
 * batches.
 */
const NATIVE_BATCHES_PER_SHARE = 3

/** A long call yields to others each time it has tokenized this many characters, a few milliseconds of work. */
const TOKENIZE_SLICE_CHARACTERS = 100_000

/**
 * Encodes on this machine's CPU: tokenizer and batcher on the calling thread, the model in workers.
 *
 * Until {@link LocalEncoder.start} has succeeded, and while no worker lives, every call is refused with UNAVAILABLE.
 */
export class LocalEncoder implements Encoder {
  readonly #options: LocalEncoderOptions
  #loaded: LoadedModel | undefined
  #problem = 'the model is being loaded'
  #isClosing = false

  constructor(options: LocalEncoderOptions) {
    this.#options = options
  }

  get revision(): string {
    return this.#model().revision
  }

  get dimensions(): number {
    return this.#model().description.dimensions
  }

  get maxTokens(): number {
    return this.#model().description.maxTokens
  }

  /** The precision and its kernels or runtime, such as `int8 by avx2` or `fp32 by onnxruntime`. */
  get arithmetic(): string {
    const { source } = this.#model()
    return `${source.precision} by ${source.precision === 'int8' ? source.kernel : 'onnxruntime'}`
  }

  /** Names of faster kernels of int8 that the CPU has and the operating system refuses, as it may in a container. */
  get refusedKernels(): readonly string[] {
    const { source } = this.#model()
    return source.precision === 'int8' ? (loadNativeProgram(source.programPath).refusedKernels?.() ?? []) : []
  }

  get tokenizer(): Tokenizer {
    return this.#model().tokenizer
  }

  /** Why calls are refused; empty when they are accepted. */
  problems(): readonly string[] {
    if (this.#isClosing) return ['the service is shutting down']
    if (this.#loaded === undefined) return [this.#problem]
    return this.#loaded.pool.liveCount === 0 ? ['no encoder thread is running'] : []
  }

  /** The work that waits and runs now. */
  currentLoad(): EncoderLoad {
    const backlog = this.#loaded?.batcher.backlog
    return {
      waitingSentences: backlog?.sentenceCount ?? 0,
      waitingTokens: backlog?.tokenCount ?? 0,
      oldestAgeMs: backlog?.oldestAgeMs ?? 0,
      liveWorkers: this.#loaded?.pool.liveCount ?? 0
    }
  }

  /**
   * Loads the model: verifies checksums, starts workers, and runs the self-test on each worker, which also warms it up.
   * @throws Error that says what is wrong; from then on {@link problems} says it too
   */
  async start(): Promise<void> {
    try {
      this.#loaded = await this.#load()
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error)
      throw error
    }
  }

  async encode(sentences: readonly string[], options: EncodeOptions = {}): Promise<Embeddings> {
    const { tokenizer } = this.#ready()
    const truncate = options.truncate ?? 'end'
    return this.#encode(
      sentences,
      (text) => text.length,
      (text) => tokenizer.tokenize(text, truncate),
      (text) => `${truncate} ${text}`,
      options
    )
  }

  async encodeTokens(tokenIds: readonly Int32Array[], options: EncodeOptions = {}): Promise<Embeddings> {
    const { tokenizer } = this.#ready()
    return this.#encode(
      tokenIds,
      (ids) => ids.length,
      (ids) => tokenizer.wrap(ids, options.truncate ?? 'end'),
      () => undefined,
      options
    )
  }

  /** Refuses new calls, waits for those that were admitted, then ends the workers. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.#loaded?.batcher.whenIdle()
    await this.#loaded?.pool.close()
  }

  async #encode<Input>(
    inputs: readonly Input[],
    sizeOf: (input: Input) => number,
    tokenize: (input: Input) => Tokenization,
    coalesceKeyOf: (input: Input) => string | undefined,
    options: EncodeOptions
  ): Promise<Embeddings> {
    const { batcher, description } = this.#ready()
    const startMs = performance.now()
    const requests: SentenceRequest[] = []
    const isTruncated: boolean[] = []
    let sliceSize = 0
    for (const input of inputs) {
      const tokenization = tokenize(input)
      requests.push({ ids: tokenization.ids, coalesceKey: coalesceKeyOf(input) })
      isTruncated.push(tokenization.isTruncated)
      sliceSize += sizeOf(input)
      if (sliceSize < TOKENIZE_SLICE_CHARACTERS) continue
      sliceSize = 0
      await nextTurn()
      options.signal?.throwIfAborted()
    }
    const tokenizeMs = performance.now() - startMs
    this.#options.observer?.tokenized?.(inputs.length, tokenizeMs)
    const lane = options.lane ?? (inputs.length > MAX_INTERACTIVE_SENTENCES ? 'bulk' : 'interactive')
    const { values, queueMs, inferenceMs } = await batcher.encode(requests, { ...options, lane })
    return {
      values,
      dimensions: description.dimensions,
      tokenCounts: Int32Array.from(requests, ({ ids }) => ids.length),
      isTruncated,
      timings: { tokenizeMs, queueMs, inferenceMs }
    }
  }

  /** As many rows as the token limit admits of the shortest sentences: only shared sentences can exceed it. */
  #rowLimits(): AdmissionOptions {
    const { maxPendingTokens, maxCallerShare } = this.#options
    return { maxPendingTokens: Math.ceil(maxPendingTokens / FEWEST_TOKENS), maxCallerShare }
  }

  async #load(): Promise<LoadedModel> {
    const { folder, workerCount, maxBatchTokens, observer, workerUrl } = this.#options
    const description = await readModelDescription(folder)
    const source = await this.#chooseSource(description)
    const { precision } = source
    let batcher: Batcher | undefined
    const starting = EncoderWorkerPool.start({
      source,
      workerCount,
      maxSentences: MAX_BATCH_SENTENCES,
      maxTokens: Math.max(maxBatchTokens, description.maxTokens),
      ...(workerUrl === undefined ? {} : { workerUrl }),
      onDone: () => batcher?.pump(),
      onCrash: (error) => observer?.workerCrashed?.(error)
    })
    // Checksums and tokenizer take as long as the workers' start, so both run at once.
    const checking = Promise.all([
      verifyModelFiles(folder, description, filesOf(precision, description)),
      readTokenizer(folder, description)
    ])
    const [pool, checked] = await Promise.allSettled([starting, checking])
    try {
      if (pool.status === 'rejected') throw pool.reason
      if (checked.status === 'rejected') throw checked.reason
      const tokenizer = checked.value[1]
      const digests = await Promise.all(
        Array.from({ length: workerCount }, async (_, worker) => {
          const run = async (batch: TokenBatch): Promise<BatchResult> => pool.value.run(batch, worker)
          return runSelfTest(description, precision, tokenizer, MAX_BATCH_SENTENCES, run)
        })
      )
      if (new Set(digests).size !== 1) throw new Error('the self-test failed: the encoder threads do not agree')
      batcher = new Batcher({
        pool: pool.value,
        admission: { interactive: new Admission(this.#options), bulk: new Admission(this.#options) },
        rowAdmission: { interactive: new Admission(this.#rowLimits()), bulk: new Admission(this.#rowLimits()) },
        dimensions: description.dimensions,
        maxBatchSentences: MAX_BATCH_SENTENCES,
        maxBatchTokens,
        batchesPerShare: precision === 'int8' ? NATIVE_BATCHES_PER_SHARE : 1,
        ...(observer === undefined ? {} : { observer })
      })
      const revision = revisionOf(description, precision, digests[0] ?? '')
      return { description, source, revision, tokenizer, pool: pool.value, batcher }
    } catch (error) {
      if (pool.status === 'fulfilled') await pool.value.close()
      throw error
    }
  }

  /** Chooses int8 by our own kernels where it is asked for and can run, else fp32 by onnxruntime. */
  async #chooseSource(description: ModelDescription): Promise<SessionSource> {
    const { folder, precision, kernel = 'auto', nativeFolder, onInt8Missing } = this.#options
    if (precision === 'fp32') return { precision, folder }
    const programPath = await findNativeProgram(nativeFolder)
    if (programPath === undefined || description.int8 === undefined) {
      onInt8Missing?.(
        programPath === undefined ? 'there is no native encoder for this machine' : 'the model was compiled without it'
      )
      return { precision: 'fp32', folder }
    }
    return { precision, folder, programPath, kernel: chooseKernel(loadNativeProgram(programPath), kernel) }
  }

  #model(): LoadedModel {
    if (this.#loaded === undefined) throw new ServiceError('UNAVAILABLE', `Cannot encode: ${this.#problem}`)
    return this.#loaded
  }

  #ready(): LoadedModel {
    const problem = this.problems()[0]
    if (problem !== undefined)
      throw new ServiceError('UNAVAILABLE', `Cannot encode: ${problem}`, { retryAfterSeconds: 1 })
    return this.#model()
  }
}

async function readTokenizer(folder: string, description: ModelDescription): Promise<Tokenizer> {
  const json: unknown = JSON.parse(await readFile(join(folder, 'tokenizer.json'), 'utf8'))
  return createTokenizer(json, { maxTokens: description.maxTokens })
}

/**
 * Names everything that the bytes of an embedding depend on. With int8 this is the model and its tokenizer: the bytes
 * are the same on every machine. fp32 by onnxruntime differs between CPUs in the last bit, so the digest of this
 * machine's golden embeddings is what tells machines apart there.
 */
function revisionOf(description: ModelDescription, precision: Precision, goldenDigest: string): string {
  const hash = createHash('sha256')
  const files = filesOf(precision, description).map((name) => [name, description.files[name]])
  hash.update(JSON.stringify([description.name, files, goldenDigest]))
  return `${description.name}-${precision}-${hash.digest('hex').slice(0, 12)}`
}
