/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import type { ModelBytes } from '../learning/classifier-model.ts'
import {
  modelHashOf,
  type LiveChange,
  type ModelStore,
  type ModelVersion,
  type NewVersion
} from '../versions/model-store.ts'
import type { VersionChange } from '../versions/version-change.ts'
import type { Judgement } from '../learning/judgement.ts'
import { ServiceError } from '../errors.ts'
import { numberIn, optionalIn, textIn, type StoredRecord } from '../storage/stored-record.ts'
import type { AwsStorage } from './aws-storage.ts'
import { RecentValues } from './recent-values.ts'
import { nameDigest } from './name-digest.ts'

/** How to open a {@link S3ModelStore}. */
export interface S3ModelStoreOptions {
  readonly storage: Pick<AwsStorage, 'table' | 'objects'>
  /** Maximum number of versions of a name: older ones are deleted, but never the live one, nor the one that a rollback would make live. */
  readonly maxVersions: number
  /** Milliseconds since 1970. */
  readonly wallMs?: () => number
  readonly monotonicMs?: () => number
}

/** A version, and the keys of its objects. */
interface IndexedVersion {
  readonly version: ModelVersion
  readonly modelKey: string
  readonly reportKey: string
  readonly judgementsKey: string
}

/** A change of the live version. Rollbacks go back along the promotions that were not undone. */
interface IndexedChange extends VersionChange {
  readonly isUndone: boolean
}

/** Index of all versions and changes of a name: an immutable object, replaced by each change. */
interface Index {
  /** Newest first. */
  readonly versions: readonly IndexedVersion[]
  /** Newest first. */
  readonly changes: readonly IndexedChange[]
  /** The highest number so far; numbers are never reused. */
  readonly lastVersion: number
}

/** Item of a name: its live version and current index. */
interface Head {
  readonly live: number | undefined
  readonly indexKey: string
}

const EMPTY_INDEX: Index = { versions: [], changes: [], lastVersion: 0 }
/** Name of the list of model names in the table's index. */
const LIST = 'MODEL'
/** Limit of optimistic retries: other writers sometimes change a name between its read and its write, but not often. */
const MAX_TRIES = 10
const FIRST_RETRY_MS = 20
/** Length of the history; to go back further than that, promote a version by its number. */
const MAX_CHANGES = 1000

/**
 * Stores versions in S3: models, reports and judgements as objects, and an index of them for each name. The name's item in
 * DynamoDB names the current index and the live version. One conditional write of the item makes a change, atomically; a
 * process that ends before leaves only objects that nothing refers to.
 */
export class S3ModelStore implements ModelStore {
  readonly #storage: Pick<AwsStorage, 'table' | 'objects'>
  readonly #maxVersions: number
  readonly #wallMs: () => number
  readonly #live: RecentValues<number>

  constructor({ storage, maxVersions, wallMs = Date.now, monotonicMs }: S3ModelStoreOptions) {
    this.#storage = storage
    this.#maxVersions = maxVersions
    this.#wallMs = wallMs
    this.#live = new RecentValues(async (name) => (await this.#head(name))?.live, monotonicMs)
  }

  async add(name: string, { details, model, reportJson, judgements }: NewVersion): Promise<ModelVersion> {
    const modelHash = modelHashOf(model)
    const folder = `${folderOf(name)}${randomUUID()}`
    const reportKey = `${folder}/report.json`
    const judgementsKey = `${folder}/judgements.json`
    const ownModelKey = `${folder}/${modelHash}.model`
    const known = (await this.#read(name)).index.versions.find(({ version }) => version.jobId === details.jobId)
    if (known !== undefined) return known.version
    const stored = new Set<string>()
    const store = async (key: string, bytes: Uint8Array<ArrayBuffer>, contentType: string) => {
      if (stored.has(key)) return
      await this.#storage.objects.put(key, { bytes, contentType })
      stored.add(key)
    }
    await store(reportKey, new TextEncoder().encode(reportJson), 'application/json')
    await store(judgementsKey, new TextEncoder().encode(JSON.stringify(judgements)), 'application/json')
    let added: ModelVersion | undefined
    await this.#change(name, async (index) => {
      const earlier = index.versions.find(({ version }) => version.jobId === details.jobId)
      if (earlier !== undefined) {
        added = earlier.version
        return undefined
      }
      // Shares the object of an equal model. If that version is deleted meanwhile, the index has changed and this is retried.
      const twin = index.versions.find(({ version }) => version.modelHash === modelHash)
      const modelKey = twin?.modelKey ?? ownModelKey
      if (twin === undefined) await store(ownModelKey, new Uint8Array(model), 'application/octet-stream')
      const number = (index.lastVersion || (await this.#lastDeleted(name))) + 1
      const version = { ...details, version: number, modelHash, createdAtMs: this.#wallMs() }
      added = version
      const versions = [{ version, modelKey, reportKey, judgementsKey }, ...index.versions]
      return withoutOldest({ ...index, lastVersion: number, versions }, this.#maxVersions)
    })
    if (added === undefined) throw new Error('Cannot add a version: it was neither there nor added; this is a bug')
    // Deletes objects that turned out unneeded: another process stored the same job's version, or another version has an equal model.
    const { versions } = (await this.#read(name)).index
    const kept = new Set(versions.flatMap((one) => keysOf(one)))
    await this.#delete([...stored].filter((key) => !kept.has(key)))
    return added
  }

  async names(): Promise<readonly string[]> {
    const items = await this.#storage.table.list(LIST)
    return items.map((item) => textIn(item, 'id')).toSorted((a, b) => (a < b ? -1 : 1))
  }

  async liveVersion(name: string): Promise<number | undefined> {
    return this.#live.get(name)
  }

  async versions(name: string): Promise<readonly ModelVersion[]> {
    return (await this.#read(name)).index.versions.map(({ version }) => version)
  }

  async find(name: string, version: number): Promise<ModelVersion | undefined> {
    return (await this.#find(name, version))?.version
  }

  async read(name: string, version: number): Promise<ModelBytes | undefined> {
    return this.#part(name, version, 'modelKey')
  }

  async report(name: string, version: number): Promise<string | undefined> {
    const bytes = await this.#part(name, version, 'reportKey')
    return bytes && new TextDecoder().decode(bytes)
  }

  async judgements(name: string, version: number): Promise<readonly Judgement[]> {
    const bytes = await this.#part(name, version, 'judgementsKey')
    if (bytes === undefined) return []
    const judgements: Judgement[] = JSON.parse(new TextDecoder().decode(bytes))
    return judgements
  }

  async history(name: string): Promise<readonly VersionChange[]> {
    const { index } = await this.#read(name)
    return index.changes.map(({ isUndone: _isUndone, ...change }) => change)
  }

  async promote(name: string, version: number, by: string): Promise<LiveChange> {
    let isMissing = false
    await this.#change(name, async (index) => {
      isMissing = !index.versions.some((one) => one.version.version === version)
      if (isMissing || liveOf(index) === version) return undefined
      return withChange(index, { version, kind: 'PROMOTED', atMs: this.#wallMs(), by, isUndone: false })
    })
    return isMissing ? { outcome: 'missing' } : { outcome: 'changed', version }
  }

  async rollBack(name: string, by: string): Promise<LiveChange> {
    let change: LiveChange = { outcome: 'missing' }
    await this.#change(name, async (index) => {
      const [latest, before] = wayBack(index)
      change = before === undefined ? { outcome: 'missing' } : { outcome: 'changed', version: before.version }
      if (latest === undefined || before === undefined) return undefined
      const undone = index.changes.map((one) => (one === latest ? { ...one, isUndone: true } : one))
      const { version } = before
      return withChange(
        { ...index, changes: undone },
        {
          version,
          kind: 'ROLLED_BACK',
          atMs: this.#wallMs(),
          by,
          isUndone: false
        }
      )
    })
    return change
  }

  async deleteAll(name: string): Promise<void> {
    const { lastVersion } = (await this.#read(name)).index
    // Written before the versions go: a process that ends in between must not let a number be given twice.
    if (lastVersion > 0) await this.#storage.table.put({ pk: numberKeyOf(name), lastVersion })
    const before = await this.#storage.table.delete(keyOf(name))
    this.#live.forget(name)
    if (before === undefined) return
    const { indexKey } = headIn(before)
    const index = await this.#index(indexKey)
    await this.#delete([...(index?.versions ?? []).flatMap((one) => keysOf(one)), indexKey])
  }

  /**
   * Changes a name's index atomically, and retries when another writer was faster.
   * @param decide makes the new index; undefined leaves it as it is. It may be called several times
   */
  async #change(name: string, decide: (index: Index) => Promise<Index | undefined>): Promise<void> {
    const { table, objects } = this.#storage
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const { head, index } = await this.#read(name)
      const changed = await decide(index)
      if (changed === undefined) return
      const indexKey = `${folderOf(name)}${randomUUID()}/index.json`
      const bytes = new TextEncoder().encode(JSON.stringify(changed))
      await objects.put(indexKey, { bytes, contentType: 'application/json' })
      const item = { pk: keyOf(name), id: name, queueState: LIST, stateAt: 0, live: liveOf(changed), indexKey }
      const written = await table.put(
        item,
        head === undefined
          ? { expression: 'attribute_not_exists(pk)' }
          : { expression: 'indexKey = :before', values: { ':before': head.indexKey } }
      )
      this.#live.forget(name)
      if (written.isWritten) {
        const kept = new Set(changed.versions.flatMap((one) => keysOf(one)))
        const dropped = index.versions.flatMap((one) => keysOf(one)).filter((key) => !kept.has(key))
        await this.#delete([...dropped, ...(head === undefined ? [] : [head.indexKey])])
        return
      }
      await this.#delete([indexKey])
      await sleep(Math.random() * FIRST_RETRY_MS * 2 ** tries)
    }
    throw contended()
  }

  async #read(name: string): Promise<{ head: Head | undefined; index: Index }> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const head = await this.#head(name)
      if (head === undefined) return { head, index: EMPTY_INDEX }
      const index = await this.#index(head.indexKey)
      // A missing index was replaced by a newer one meanwhile.
      if (index !== undefined) return { head, index }
    }
    throw contended()
  }

  async #head(name: string): Promise<Head | undefined> {
    const item = await this.#storage.table.get(keyOf(name))
    return item && headIn(item)
  }

  async #index(key: string): Promise<Index | undefined> {
    const object = await this.#storage.objects.get(key)
    if (object === undefined) return undefined
    const index: Index = JSON.parse(new TextDecoder().decode(object.bytes))
    return index
  }

  /** The last number of a name that was deleted; 0 when it was not. */
  async #lastDeleted(name: string): Promise<number> {
    const item = await this.#storage.table.get(numberKeyOf(name))
    return item === undefined ? 0 : numberIn(item, 'lastVersion')
  }

  async #find(name: string, version: number): Promise<IndexedVersion | undefined> {
    return (await this.#read(name)).index.versions.find((one) => one.version.version === version)
  }

  async #part(
    name: string,
    version: number,
    part: 'modelKey' | 'reportKey' | 'judgementsKey'
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const found = await this.#find(name, version)
    const object = found && (await this.#storage.objects.get(found[part]))
    return object?.bytes
  }

  /** Deletes objects. One that cannot be deleted stays, unreferenced: the change itself has been made. */
  async #delete(keys: readonly string[]): Promise<void> {
    await Promise.allSettled(keys.map((key) => this.#storage.objects.delete(key)))
  }
}

function withChange(index: Index, change: IndexedChange): Index {
  return { ...index, changes: [change, ...index.changes].slice(0, MAX_CHANGES) }
}

function withoutOldest(index: Index, maxVersions: number): Index {
  const needed = new Set([liveOf(index), wayBack(index)[1]?.version])
  const versions = index.versions.filter(({ version }, age) => age < maxVersions || needed.has(version.version))
  const kept = new Set(versions.map(({ version }) => version.version))
  // A rollback cannot go back to a deleted version.
  const changes = index.changes.map((one) => (kept.has(one.version) ? one : { ...one, isUndone: true }))
  return { ...index, versions, changes }
}

function liveOf(index: Index): number | undefined {
  return index.changes[0]?.version
}

/** The promotions that no rollback has undone, newest first. */
function wayBack(index: Index): IndexedChange[] {
  return index.changes.filter(({ kind, isUndone }) => kind === 'PROMOTED' && !isUndone)
}

function keysOf({ modelKey, reportKey, judgementsKey }: IndexedVersion): string[] {
  return [modelKey, reportKey, judgementsKey]
}

function headIn(item: StoredRecord): Head {
  return { live: optionalIn(item, 'live', numberIn), indexKey: textIn(item, 'indexKey') }
}

function keyOf(name: string): string {
  return `model#${nameDigest(name)}`
}

/** Key of the item that a deleted name leaves: the last number of its versions. */
function numberKeyOf(name: string): string {
  return `model-number#${nameDigest(name)}`
}

function folderOf(name: string): string {
  return `models/${nameDigest(name)}/`
}

function contended(): ServiceError {
  return new ServiceError('UNAVAILABLE', 'Cannot use the versions: too many others change them at once')
}
