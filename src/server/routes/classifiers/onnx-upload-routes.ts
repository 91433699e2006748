/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type TString } from 'typebox'
import { readUpload, type OnnxUploadDependencies } from '../../../classifier/onnx-upload.ts'
import { ServiceError } from '../../../errors.ts'
import { classifierModelName } from '../../../versions/model-name.ts'
import type { ModelStore } from '../../../versions/model-store.ts'
import { publishVersion } from '../../../versions/publish.ts'
import { callerKey, callerOf } from '../../auth.ts'
import { encodeOptionsOf, ERROR_REPLIES, ERROR_REPLY } from '../../encode-reply.ts'
import { readForm, type FormPart } from './upload-form.ts'

/** Options of ONNX uploads. */
export interface OnnxUploadRouteOptions extends OnnxUploadDependencies {
  readonly bodyLimitBytes: number
}

const MULTIPART = 'multipart/form-data'
const MAX_SIGNATURE_BYTES = 1_048_576
const ColumnView = Type.Object({ name: Type.String(), type: Type.Enum(['text', 'number']) })
const UploadReply = Type.Object({
  data: Type.Object({
    classifier: Type.String(),
    version: Type.Integer(),
    promotion: Type.Object({ outcome: Type.Enum(['promoted', 'refused']), reason: Type.Optional(Type.String()) }),
    features: Type.Array(ColumnView, { description: 'In the order of the matrix’s columns, texts first.' }),
    label: ColumnView,
    classes: Type.Array(Type.String()),
    output: Type.String({ description: 'Where the probabilities come from.' })
  })
})

const UploadForm = Type.Unsafe<unknown>({
  type: 'object',
  required: ['model', 'signature'],
  properties: {
    model: { type: 'string', contentMediaType: 'application/octet-stream' },
    signature: { type: 'string', contentMediaType: 'application/json' }
  }
})

/** Route `PUT …/versions`, which uploads a model trained elsewhere as ONNX. */
export const onnxUploadRoutes: FastifyPluginAsyncTypebox<{
  readonly uploads: OnnxUploadRouteOptions
  readonly models: ModelStore
  readonly promotionMargin: number
  readonly idSchema: TString
}> = async (app, { uploads, models, promotionMargin, idSchema }) => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(MULTIPART, { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body)
  })

  app.put(
    '/classifiers/:classifier/versions',
    {
      config: { scope: 'admin' },
      bodyLimit: uploads.bodyLimitBytes,
      schema: {
        summary: 'Bring a model as ONNX',
        description:
          'Makes a version of a model that was trained elsewhere. Takes a form of two files: `model`, the ONNX, and `signature`, JSON of `{features: [{name, type}], label: {name, type}, classes, ' +
          'output?}`. The file is inspected before it runs: refused operators and other problems are listed in `errors.model`. ' +
          'It runs in a process with limits on time and memory. The same files give the same version.',
        tags: ['classifier versions'],
        params: Type.Object({ classifier: idSchema }),
        body: { content: { [MULTIPART]: { schema: UploadForm } } },
        response: { 200: UploadReply, ...ERROR_REPLIES, 403: ERROR_REPLY, 422: ERROR_REPLY }
      },
      // The handler checks the parts of the form, which the schema would see as bytes.
      validatorCompiler: () => () => true
    },
    async (request, reply) => {
      const { classifier } = request.params
      const { model, signature } = await partsOf(request.body, request.headers['content-type'] ?? '')
      const by = callerKey(callerOf(request))
      const version = await readUpload(model, signature, by, uploads, encodeOptionsOf(request, reply, undefined))
      const options = { isForced: false, by }
      const published = await publishVersion(
        { models, promotionMargin },
        classifierModelName(classifier),
        version,
        options
      )
      const { features, label } = version.details.signature
      return {
        data: {
          classifier,
          ...published,
          features: features.map((column) => ({ ...column })),
          label: { ...label },
          classes: [...(version.details.onnx?.classIds ?? [])],
          output: version.details.onnx?.output ?? ''
        }
      }
    }
  )
}

/** Reads the parts of the form. @throws {ServiceError} INVALID_REQUEST when it is not a form, or a part is missing */
async function partsOf(body: unknown, contentType: string): Promise<{ model: Uint8Array; signature: Uint8Array }> {
  if (!(body instanceof Uint8Array)) throw noForm('there is none')
  let form: ReadonlyMap<string, FormPart>
  try {
    form = await readForm(body, contentType)
  } catch {
    throw noForm('it cannot be read as one')
  }
  const model = form.get('model')
  const signature = form.get('signature')
  const missing = [...(model === undefined ? ['model'] : []), ...(signature === undefined ? ['signature'] : [])]
  if (model === undefined || signature === undefined) {
    throw new ServiceError('INVALID_REQUEST', `Cannot take the model: the form lacks ${missing.join(' and ')}`, {
      fields: Object.fromEntries(missing.map((name) => [name, ['required field']]))
    })
  }
  if (!model.isFile) throw noForm('its part model is not a file')
  if (signature.bytes.length > MAX_SIGNATURE_BYTES) {
    throw new ServiceError(
      'PAYLOAD_TOO_LARGE',
      `Cannot take the model: its signature has more than ${MAX_SIGNATURE_BYTES} bytes`
    )
  }
  // A field is already decoded here, so U+FFFD shows that its bytes were not UTF-8.
  if (!signature.isFile && Buffer.from(signature.bytes).includes('\uFFFD')) {
    throw noForm('its part signature is not UTF-8')
  }
  return { model: model.bytes, signature: signature.bytes }
}

function noForm(found: string): ServiceError {
  return new ServiceError('INVALID_REQUEST', `Cannot take the model: a form is wanted (${MULTIPART}), ${found}`)
}
