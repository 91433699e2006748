/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { execFile } from 'node:child_process'
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { importedPackages } from './manifest.ts'

/**
 * Builds what others import into `dist/`: JavaScript, declarations and maps, and the sources that the maps point to.
 *
 * @param root the repository
 * @returns the packages that the built files import
 * @throws Error with the compiler's own words, or when a built file refers to one that was not built
 */
export async function buildPackage(root: string): Promise<string[]> {
  const target = join(root, 'dist')
  await rm(target, { recursive: true, force: true })
  await compile(root)
  const imported = new Set<string>()
  for (const name of await readdir(target, { recursive: true })) {
    const path = join(target, name)
    if (/\.(?:js|d\.ts)$/.test(name)) {
      const code = toBuiltFiles(await readFile(path, 'utf8'), path)
      for (const peer of importedPackages(code)) imported.add(peer)
      await writeFile(path, code)
    } else if (name.endsWith('.map')) await bringSources(path, target)
  }
  return [...imported].toSorted()
}

async function compile(root: string): Promise<void> {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  try {
    await promisify(execFile)(process.execPath, [compiler, '-p', 'tsconfig.package.json'], { cwd: root })
  } catch (error) {
    const said = error instanceof Error && 'stdout' in error ? error.stdout : error
    throw new Error(`Cannot build the package:\n${String(said)}`, { cause: error })
  }
}

/** The compiler leaves `.ts` in declarations, and in the URLs of worker threads. */
function toBuiltFiles(code: string, path: string): string {
  return code.replaceAll(/(['"])(\.\.?\/[^'"\n]+)\.ts\1/g, (_, quote: string, specifier: string) => {
    const built = path.endsWith('.d.ts') ? `${specifier}.d.ts` : `${specifier}.js`
    if (!existsSync(resolve(dirname(path), built))) {
      throw new Error(
        `Cannot build the package: ${path} refers to ${specifier}.ts, which tsconfig.package.json leaves out`
      )
    }
    return `${quote}${specifier}.js${quote}`
  })
}

/** Copies a map's source from `src/` to `dist/src/`, and points the map there. */
async function bringSources(path: string, target: string): Promise<void> {
  const map: { sources: string[] } = JSON.parse(await readFile(path, 'utf8'))
  for (const source of map.sources) {
    const from = resolve(dirname(path), source)
    const to = join(target, from.slice(dirname(target).length))
    await mkdir(dirname(to), { recursive: true })
    await copyFile(from, to)
  }
  map.sources = map.sources.map((source) => source.replace('../', ''))
  await writeFile(path, JSON.stringify(map))
}
