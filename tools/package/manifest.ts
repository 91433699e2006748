/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** What the packing step reads of the repository's `package.json`. */
export interface RepositoryManifest {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly license: string
  readonly type: string
  readonly files: readonly string[]
  readonly dependencies: Readonly<Record<string, string>>
  /** Members that the package has otherwise than the repository, as pnpm and Yarn read them. */
  readonly publishConfig: Readonly<Record<string, unknown>>
}

/**
 * Makes the manifest of the package from that of the repository. The package is what can be imported: it has no scripts and
 * none of the service's dependencies. What the built files import is an optional peer, in the version the service is tested with.
 *
 * @param imported names of packages that the built files import
 * @throws Error when the repository does not depend on one of them
 */
export function packedManifest(repository: RepositoryManifest, imported: readonly string[]): Record<string, unknown> {
  const { name, version, description, license, type, files, dependencies, publishConfig } = repository
  const peers = imported.map((peer) => {
    const range = dependencies[peer]
    if (range === undefined) throw new Error(`Cannot pack: the built files import "${peer}", which is no dependency`)
    return [peer, range] as const
  })
  return {
    name,
    version,
    description,
    license,
    type,
    files,
    ...publishConfig,
    peerDependencies: Object.fromEntries(peers),
    peerDependenciesMeta: Object.fromEntries(imported.map((peer) => [peer, { optional: true }]))
  }
}

/**
 * Names the packages that a file imports, without Node.js' own.
 *
 * @param code JavaScript or declarations, as the compiler writes them
 * @returns `import { a } from '@b/c/d'` gives `@b/c`
 */
export function importedPackages(code: string): string[] {
  const specifiers = code.matchAll(/(?:\bfrom |^import |\bimport\()(['"])([^'".][^'"\n]*)\1(?:;?$|\))/gm)
  return [...specifiers]
    .map(([, , specifier = '']) => specifier)
    .filter((specifier) => !specifier.startsWith('node:'))
    .map((specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'))
}
