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
import { ERROR_REPLIES } from '../../encode-reply.ts'

/** Something whose models are versioned: mentors, or classifiers. */
export interface VersionedArea {
  readonly models: ModelStore
  /** Share of samples by which a version may be worse than the live one. */
  readonly promotionMargin: number
  /** Address before `/versions`, with the parameter that names the model: `/mentors/:mentor`. */
  readonly path: string
  /** What has models, in the singular: that parameter, and a field of replies. */
  readonly kind: 'mentor' | 'classifier'
  /** Of that parameter. */
  readonly idSchema: TString
  /**
   * Name in the store of the model of an id, for a caller who may see and change it.
   * @throws {ServiceError} FORBIDDEN for any other caller
   */
  readonly nameFor: (request: FastifyRequest, id: string) => string
  /** Whether a model of this signature may be imported. */
  readonly takes: (signature: Signature) => boolean
  readonly encoder: Pick<Encoder, 'revision'>
  /** Longest file to import. */
  readonly importLimitBytes: number
}

/** A version in an address. */
export const VersionNumber = Type.String({
  pattern: '^([1-9][0-9]{0,8}|live)$',
  description: 'Number of the version, or `live`.',
  examples: ['1']
})
/** Errors of routes of versions, for the docs. */
export const REPLIES = { ...ERROR_REPLIES, 403: { $ref: 'ErrorReply#' }, 404: { $ref: 'ErrorReply#' } } as const
/** The error of a change that does not fit, for the docs. */
export const CONFLICT_REPLY = { 409: { $ref: 'ErrorReply#' } } as const

/** Parameters and replies of an area, and what a request is about. */
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

/** The number that an address names. @throws {ServiceError} NOT_FOUND when no version is live */
export async function numberOf(models: ModelStore, name: string, version: string): Promise<number> {
  if (version !== 'live') return Number(version)
  const live = await models.liveVersion(name)
  if (live === undefined) throw unknownVersion()
  return live
}

/** Error for an unknown version. */
export function unknownVersion(): ServiceError {
  return new ServiceError('NOT_FOUND', 'Cannot find this version: see the list of versions for those there are')
}
