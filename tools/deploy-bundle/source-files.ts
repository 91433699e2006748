/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { spawnSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A file of a bundle. */
export interface BundleFile {
  /** Its path, with slashes. */
  readonly name: string
  readonly content: Buffer
}

/** What a bundle is made of. */
export interface Sources {
  readonly files: readonly BundleFile[]
  /** The commit that the files are of; none outside of git. */
  readonly commit?: string
  /** Paths that differ from the commit, or that are not in it; `files` has the commit's. */
  readonly uncommitted: readonly string[]
}

/** What git ignores, for where there is no git: dependencies, builds, and models but their manifest. */
const IGNORED =
  /(?:^|\/)(?:node_modules|\.git|\.cache|\.DS_Store)(?:\/|$)|^web\/dist(?:\/|$)|^models\/(?!manifest\.json$)/
const MAX_GIT_BYTES = 1 << 29

/**
 * Reads the files of the repository: those of its last commit, with the bytes that git has stored, whatever this checkout made of
 * them (line ends, modes, changes). Outside of git, as in a downloaded archive, the files on the disk.
 *
 * @param root folder of the repository, which may be a folder within another repository that has its files
 */
export async function readSources(root: string): Promise<Sources> {
  const commit = git(root, 'rev-parse', '--verify', '--quiet', 'HEAD')?.toString().trim()
  // Of each file: its mode, "blob", its id; a tab; its path below the folder.
  const listed = commit === undefined ? undefined : git(root, 'ls-tree', '-r', '-z', commit)
  const entries = splitAtZeros(listed).map((entry) => {
    const [attributes = '', name = ''] = entry.split('\t')
    return { id: attributes.split(' ')[2] ?? '', name }
  })
  if (commit === undefined || entries.length === 0) return { files: await filesOnDisk(root), uncommitted: [] }
  const contents = contentsOf(
    root,
    entries.map(({ id }) => id)
  )
  const changed = splitAtZeros(git(root, 'diff', '--name-only', '--relative', '-z', commit))
  const unknown = splitAtZeros(git(root, 'ls-files', '--others', '--exclude-standard', '-z'))
  return {
    commit,
    files: entries.map(({ name }, index) => ({ name, content: contents[index] ?? Buffer.alloc(0) })),
    uncommitted: [...changed, ...unknown]
  }
}

/** What git prints; nothing when it fails or is not there. */
function git(root: string, ...options: string[]): Buffer | undefined {
  const { status, stdout } = runGit(root, options)
  return status === 0 ? stdout : undefined
}

function runGit(root: string, options: string[], input?: string): { status: number | null; stdout: Buffer } {
  // Within a hook git sets variables, which would name another checkout than this folder.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')))
  return spawnSync('git', options, { cwd: root, env, input, maxBuffer: MAX_GIT_BYTES })
}

/** Contents of blobs, by their ids. */
function contentsOf(root: string, ids: readonly string[]): Buffer[] {
  const { status, stdout } = runGit(root, ['cat-file', '--batch'], `${ids.join('\n')}\n`)
  if (status !== 0) throw new Error(`git cat-file ended with ${status}`)
  let offset = 0
  return ids.map((id) => {
    // A line with id, type and size; the content; a line end.
    const headerEnd = stdout.indexOf('\n', offset)
    const [, type, size] = stdout.toString('latin1', offset, headerEnd).split(' ')
    if (type !== 'blob') throw new Error(`git cat-file gave for ${id} a ${type}`)
    const start = headerEnd + 1
    offset = start + Number(size) + 1
    return stdout.subarray(start, offset - 1)
  })
}

function splitAtZeros(output: Buffer | undefined): string[] {
  return (output?.toString() ?? '').split('\0').filter((line) => line !== '')
}

async function filesOnDisk(root: string, folder = ''): Promise<BundleFile[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true })
  const found: BundleFile[] = []
  for (const entry of entries) {
    const name = `${folder}${entry.name}`
    if (entry.isDirectory() && name !== 'models' && IGNORED.test(name)) continue
    if (entry.isDirectory()) found.push(...(await filesOnDisk(root, `${name}/`)))
    if (entry.isFile() && !IGNORED.test(name)) found.push({ name, content: await readFile(join(root, name)) })
  }
  return found
}
