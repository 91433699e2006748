/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { FUNCTION_URL, type EdgeReply, type EdgeRequest, type KeyValues, type LoadFunction } from './edge.ts'

/*
 * njs, whose engine CloudFront Functions run on. Debian and Ubuntu have it as a package; what is not installed is fetched once
 * into .cache/njs, without being installed.
 */
const run = promisify(execFile)
const CACHE = fileURLToPath(new URL('../../.cache/njs', import.meta.url))
const FETCHED = join(CACHE, 'usr/bin/njs')
const RESULT = '@result '

interface Outcome {
  readonly result?: EdgeRequest | EdgeReply
  readonly looked: readonly string[]
}

/** Runs the function in njs, each call in a process of its own, as CloudFront keeps nothing between two calls either. */
export class NjsEngine {
  /** Why njs cannot run here, once started. */
  missing: string | undefined
  #program = 'njs'
  #modules = ''

  /** Finds njs, or fetches it. */
  async start(): Promise<void> {
    this.#modules = await mkdtemp(join(tmpdir(), 'njs-modules-'))
    // Its crypto is njs' own.
    await writeFile(join(this.#modules, 'cloudfront'), 'export default { kvs: () => store }\n')
    if (await starts('njs')) return
    this.#program = FETCHED
    if (await starts(FETCHED)) return
    try {
      await fetchNjs()
      if (!(await starts(FETCHED))) this.missing = 'njs does not start here: apt-get install njs brings what it needs'
    } catch (error) {
      this.missing = `njs cannot be fetched: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`
    }
  }

  /** Removes what `start` made. To be called beside it. */
  endAfterTests(): void {
    after(() => rm(this.#modules, { recursive: true, force: true }))
  }

  /** The very file; around it what CloudFront has, and the one event. */
  readonly load: LoadFunction = async (store, log = () => undefined) => {
    const source = await readFile(FUNCTION_URL, 'utf8')
    return async (event) => {
      const output = await this.#print(program(source, store, JSON.stringify(event)))
      const lines = output.split('\n')
      const last = lines.findIndex((line) => line.startsWith(RESULT))
      assert(last >= 0, `njs: ${output}`)
      for (const line of lines.slice(0, last)) log(line)
      const { result, looked }: Outcome = JSON.parse(lines[last]?.slice(RESULT.length) ?? '')
      store.looked.push(...looked)
      assert(result !== undefined)
      return result
    }
  }

  async #print(script: string): Promise<string> {
    const child = spawn(this.#program, ['-q', '-p', this.#modules, '-'], { stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdin.end(script)
    const [output] = await Promise.all([text(child.stdout), once(child, 'close')])
    return output
  }
}

function program(source: string, store: KeyValues, event: string): string {
  return `const pairs = JSON.parse(${JSON.stringify(JSON.stringify([...store.pairs]))})
const looked = []
function valueOf(key) {
  if (${store.isAway}) throw new Error('away')
  const pair = pairs.find((pair) => pair[0] === key)
  return pair === undefined ? undefined : pair[1]
}
globalThis.store = {
  exists: async function (key) { looked.push(key); return valueOf(key) !== undefined },
  get: async function (key) {
    const value = valueOf(key)
    if (value === undefined) throw new Error('KeyNotFound')
    return value
  }
}
${source}
handler(JSON.parse(${JSON.stringify(event)})).then((result) => {
  console.log('${RESULT}' + JSON.stringify({ result: result, looked: looked }))
})
`
}

async function starts(file: string): Promise<boolean> {
  return run(file, ['-v']).then(
    () => true,
    () => false
  )
}

/** Downloads the package and unpacks it beside the system; needs apt, and root only where apt has no lists yet. */
async function fetchNjs(): Promise<void> {
  await mkdir(CACHE, { recursive: true })
  const folder = await mkdtemp(join(CACHE, 'fetching-'))
  try {
    const download = () => run('apt-get', ['download', 'njs'], { cwd: folder })
    await download().catch(async () => {
      await run('apt-get', ['update'])
      await download()
    })
    const name = (await readdir(folder)).find((file) => file.endsWith('.deb')) ?? ''
    await run('dpkg-deb', ['--extract', join(folder, name), folder])
    // Another process may have been quicker.
    await rename(join(folder, 'usr'), join(CACHE, 'usr')).catch(() => access(FETCHED))
  } finally {
    await rm(folder, { recursive: true })
  }
}
