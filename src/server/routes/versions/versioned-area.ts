/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import type { FastifyRequest } from 'fastify'
import { Type, type TString } from 'typebox'
import type { Encoder } from '../../../embedding/encoder.ts'
import { ServiceError } from '../../../errors.ts'
import type { Signature } from '../../../table/signature.ts'
import type { ModelStore } from '../../../versions/model-store.ts'
import { ERROR_REPLIES, ERROR_REPLY } from '../../encode-reply.ts'

/** What differs between the version routes of mentors and of classifiers. */
export interface VersionedArea {
  readonly models: ModelStore
  /** Share of samples by which a version may be worse than the live one. */
  readonly promotionMargin: number
  /** Address before `/versions`, with the parameter that names the model: `/mentors/:mentor`. */
  readonly path: string
  /** Name of that parameter, and of a field in replies. */
  readonly kind: 'mentor' | 'classifier'
  /** Schema of that parameter. */
  readonly idSchema: TString
  /**
   * Returns the model's name in the store, after checking that the caller may see and change it.
   * @throws {ServiceError} FORBIDDEN for any other caller
   */
  readonly nameFor: (request: FastifyRequest, id: string) => string
  /** Whether a model of this signature may be imported. */
  readonly takes: (signature: Signature) => boolean
  readonly encoder: Pick<Encoder, 'revision'>
  /** Maximum size of an imported file. */
  readonly importLimitBytes: number
}

/** Schema of a version in an address. */
export const VersionNumber = Type.String({
  pattern: '^([1-9][0-9]{0,8}|live)$',
  description: 'Number of the version, or `live`.',
  examples: ['1']
})
/** Error replies of version routes, for the docs. */
export const REPLIES = { ...ERROR_REPLIES, 403: ERROR_REPLY, 404: ERROR_REPLY } as const
/** Error reply for a conflicting change, for the docs. */
export const CONFLICT_REPLY = { 409: ERROR_REPLY } as const

/** Makes the schemas of an area's parameters and replies. */
export function schemasOf(area: VersionedArea) {
  const { kind, idSchema } = area
  return {
    tag: `${kind} versions`,
    idParams: Type.Object({ [kind]: idSchema }),
    versionParams: Type.Object({ [kind]: idSchema, version: VersionNumber }),
    liveReply: Type.Object({ data: Type.Object({ [kind]: Type.String(), live: Type.Integer() }) }),
    subjectOf: (request: FastifyRequest<{ Params: { readonly [name: string]: string } }>) => {
      const id = request.params[kind] ?? ''
      return { id, name: area.nameFor(request, id) }
    }
  }
}

/** Number of the version in an address. @throws {ServiceError} NOT_FOUND for `live` when no version is live */
export async function numberOf(models: ModelStore, name: string, version: string): Promise<number> {
  if (version !== 'live') return Number(version)
  const live = await models.liveVersion(name)
  if (live === undefined) throw unknownVersion()
  return live
}

/** Makes the error for an unknown version. */
export function unknownVersion(): ServiceError {
  return new ServiceError('NOT_FOUND', 'Cannot find this version: see the list of versions for those there are')
}
