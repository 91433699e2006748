/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/*
 * promtool, which comes with Prometheus. Debian and Ubuntu have it in the package of the server; where it is not installed, that package is
 * fetched once into .cache/promtool and not installed, since it would start a server.
 */
const run = promisify(execFile)
const CACHE = join(import.meta.dirname, '../../.cache/promtool')
const FETCHED = join(CACHE, 'promtool')

/** Runs promtool. @throws what it says, when it finds a fault */
export type Promtool = (...args: readonly string[]) => Promise<string>

/** Finds promtool, or fetches it. @returns it, or why it cannot be had here */
export async function findPromtool(): Promise<Promtool | string> {
  if (await starts('promtool')) return callerOf('promtool')
  try {
    if (!(await starts(FETCHED))) await fetchPromtool()
    if (await starts(FETCHED)) return callerOf(FETCHED)
    return 'promtool does not start here'
  } catch (error) {
    return `promtool cannot be fetched: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`
  }
}

function callerOf(program: string): Promtool {
  return async (...args) => {
    try {
      return (await run(program, args)).stdout
    } catch (error) {
      const { stdout = '', stderr = '' } = Object(error)
      throw new Error(`promtool ${args.join(' ')}:\n${stdout}${stderr}`, { cause: error })
    }
  }
}

async function starts(program: string): Promise<boolean> {
  return run(program, ['--version']).then(
    () => true,
    () => false
  )
}

async function fetchPromtool(): Promise<void> {
  await mkdir(CACHE, { recursive: true })
  const folder = await mkdtemp(join(CACHE, 'fetching-'))
  try {
    const download = () => run('apt-get', ['download', 'prometheus'], { cwd: folder })
    await download().catch(async () => {
      await run('apt-get', ['update'])
      await download()
    })
    const name = (await readdir(folder)).find((file) => file.endsWith('.deb')) ?? ''
    await run('dpkg-deb', ['--extract', join(folder, name), folder])
    // Another process may have been quicker.
    await rename(join(folder, 'usr/bin/promtool'), FETCHED).catch(() => access(FETCHED))
  } finally {
    await rm(folder, { recursive: true })
  }
}
