/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { build, type BuildOptions, type Metafile } from 'esbuild'

const WEB = join(import.meta.dirname, '..')
/** Where the service serves the playground. */
const PUBLIC_PATH = '/playground/assets'
/** Smaller files gain nothing from compression. */
const MIN_COMPRESSED_BYTES = 1024
/** Ends the names of files that are being written. */
const PART = '.part'
const COMPRESSIBLE = new Set(['.css', '.csv', '.html', '.js', '.json', '.svg', '.txt'])

/** Names of files by hash of their contents, so that a browser may keep them for ever. */
const OPTIONS: BuildOptions = {
  absWorkingDir: WEB,
  entryPoints: { main: 'src/main.tsx' },
  bundle: true,
  format: 'esm',
  target: ['es2022', 'chrome119', 'firefox121', 'safari17.4'],
  minify: true,
  entryNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  publicPath: PUBLIC_PATH,
  jsx: 'automatic',
  jsxImportSource: 'preact',
  // What the build needs is here: the image has no tsconfig.json of the project.
  tsconfigRaw: {},
  loader: { '.svg': 'file', '.csv': 'file', '.json.txt': 'file' },
  legalComments: 'eof',
  metafile: true,
  logLevel: 'warning'
}

/**
 * Builds the playground into a folder: `index.html` and `assets/`, each file also compressed by brotli and gzip. What is served
 * from the folder meanwhile stays whole: files get their names once they are complete, the page after all that it names, and
 * assets of an earlier build go last.
 */
export async function buildWeb(folder: string): Promise<void> {
  const assets = join(folder, 'assets')
  await mkdir(assets, { recursive: true })
  const { metafile, outputFiles } = await build({ ...OPTIONS, metafile: true, write: false, outdir: assets })
  const names = await Promise.all(outputFiles.map(({ path, contents }) => writeWithCompressed(path, contents)))
  await writeWithCompressed(join(folder, 'index.html'), Buffer.from(await pageOf(metafile)))
  const kept = new Set(names.flat())
  const stale = (await readdir(assets)).filter((name) => !kept.has(name) && !name.endsWith(PART))
  await Promise.all(stale.map((name) => rm(join(assets, name), { force: true })))
}

/** `index.html` with the addresses of what was built. */
async function pageOf(metafile: Metafile): Promise<string> {
  const names = Object.keys(metafile.outputs).map((path) => basename(path))
  const addressOf = (pattern: RegExp): string => {
    const name = names.find((candidate) => pattern.test(candidate))
    if (name === undefined) throw new Error(`Cannot build the playground: nothing built is named as ${pattern}`)
    return `${PUBLIC_PATH}/${name}`
  }
  const template = await readFile(join(WEB, 'index.html'), 'utf8')
  return template
    .replace('{{mark}}', addressOf(/^mark-.*\.svg$/))
    .replace('{{style}}', addressOf(/^main-.*\.css$/))
    .replace('{{script}}', addressOf(/^main-.*\.js$/))
}

/** Writes a file, and its compressed forms where they are worth it. @returns the names of all of them */
async function writeWithCompressed(path: string, content: Uint8Array): Promise<string[]> {
  const forms = new Map([['', content], ...(await compressedForms(path, content))])
  await Promise.all([...forms].map(([ending, bytes]) => writeWhole(path + ending, bytes)))
  return [...forms.keys()].map((ending) => basename(path) + ending)
}

async function writeWhole(path: string, content: Uint8Array): Promise<void> {
  const part = `${path}.${process.pid}${PART}`
  await writeFile(part, content)
  await rename(part, path)
}

async function compressedForms(path: string, content: Uint8Array): Promise<[ending: string, bytes: Uint8Array][]> {
  if (!COMPRESSIBLE.has(extname(path)) || content.length < MIN_COMPRESSED_BYTES) return []
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY }
  const [brotli, gzipped] = await Promise.all([
    promisify(brotliCompress)(content, { params }),
    promisify(gzip)(content, { level: constants.Z_BEST_COMPRESSION })
  ])
  return [
    ['.br', brotli],
    ['.gz', gzipped]
  ]
}
