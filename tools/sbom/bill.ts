/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'

const Component = Type.Object({ name: Type.String(), version: Type.String(), 'bom-ref': Type.String() })
const Bill = Type.Object({
  bomFormat: Type.Literal('CycloneDX'),
  specVersion: Type.String(),
  metadata: Type.Object({ component: Component }),
  components: Type.Array(Component),
  dependencies: Type.Array(Type.Object({ ref: Type.String(), dependsOn: Type.Optional(Type.Array(Type.String())) }))
})
const bill = Compile(Bill)

/** The part of a CycloneDX bill of materials, as npm writes it, that is read or changed here. */
export type Bill = Static<typeof Bill>

/** The model, as models/manifest.json has it. */
export interface ModelManifest {
  readonly name: string
  readonly license: string
  readonly huggingface: { readonly repository: string; readonly revision: string }
  readonly files: readonly { readonly path: string; readonly sha256: string }[]
}

/** The file whose hash identifies the model. */
const WEIGHTS = 'model.safetensors'

/** @throws {Error} when a text is not a bill of materials */
export function readBill(text: string): Bill {
  const read: unknown = JSON.parse(text)
  if (!bill.Check(read)) throw new Error('npm has written no bill of materials in CycloneDX')
  return read
}

/** References of some packages and all their transitive dependencies. */
function withDependencies(all: Bill, names: ReadonlySet<string>): Set<string> {
  const next = new Map(all.dependencies.map(({ ref, dependsOn = [] }) => [ref, dependsOn]))
  const waiting = all.components.filter(({ name }) => names.has(name)).map((component) => component['bom-ref'])
  const found = new Set<string>()
  for (let ref = waiting.pop(); ref !== undefined; ref = waiting.pop()) {
    if (found.has(ref)) continue
    found.add(ref)
    waiting.push(...(next.get(ref) ?? []))
  }
  return found
}

/** The part of package-lock.json that says what is installed where the service runs. */
export interface PackageLock {
  readonly packages: Readonly<
    Record<string, { version?: string; dev?: boolean; devOptional?: boolean; link?: boolean } | undefined>
  >
}

/** `name@version` of all packages that are installed without those for development. */
export function installedPackages({ packages }: PackageLock): Set<string> {
  const installed = new Set<string>()
  for (const [path, entry] of Object.entries(packages)) {
    const name = path.split('node_modules/')
    if (name.length < 2 || entry?.version === undefined || entry.dev || entry.devOptional || entry.link) continue
    installed.add(`${name.at(-1)}@${entry.version}`)
  }
  return installed
}

/**
 * The bill of what is delivered: what runs, what the playground's files were bundled from, and the model. `npm sbom
 * --omit dev` does not give this: it also omits packages that a development package needs too.
 *
 * @param all packages of the whole project
 * @param installed `name@version` of those that are installed where the service runs
 * @param bundled names of packages whose code is in the playground's files
 */
export function deliveredBill(
  all: Bill,
  installed: ReadonlySet<string>,
  bundled: ReadonlySet<string>,
  model: ModelManifest
): Bill {
  const missing = [...bundled].filter((name) => !all.components.some((component) => component.name === name))
  if (missing.length > 0) throw new Error(`The playground bundles what npm does not list: ${missing.join(', ')}`)
  const weights = model.files.find(({ path }) => path === WEIGHTS)
  if (weights === undefined) throw new Error(`models/manifest.json does not list ${WEIGHTS}`)
  const inBundle = withDependencies(all, bundled)
  const components = all.components.filter(
    ({ name, version, 'bom-ref': ref }) => installed.has(`${name}@${version}`) || inBundle.has(ref)
  )
  const project = all.metadata.component
  const kept = new Set([project, ...components].map((component) => component['bom-ref']))
  const [name = ''] = project['bom-ref'].split('@')
  return {
    ...all,
    // npm takes the name of the folder.
    metadata: { ...all.metadata, component: { ...project, name } },
    components: [...components, modelComponent(model, weights.sha256)],
    dependencies: all.dependencies
      .filter(({ ref }) => kept.has(ref))
      .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((each) => kept.has(each)) }))
  }
}

function modelComponent({ name, license, huggingface }: ModelManifest, sha256: string) {
  const { repository, revision } = huggingface
  return {
    'bom-ref': `${name}@${revision}`,
    type: 'machine-learning-model',
    name,
    version: revision,
    purl: `pkg:huggingface/${repository}@${revision}`,
    hashes: [{ alg: 'SHA-256', content: sha256 }],
    licenses: [{ license: { id: license } }]
  }
}
