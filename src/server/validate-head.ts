/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'

/** Validates all of a request except its body, which is received as bytes and checked where it is parsed. */
export const validateHead: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) =>
  httpPart === 'body' ? () => true : validator(schema)

/** Compiles a validator in the form that Fastify expects. */
function validator(schema: TSchema) {
  const checked = Compile(schema)
  const none: ReturnType<typeof checked.Errors> = []
  const validate = (value: unknown): boolean => {
    const isValid = checked.Check(value)
    validate.errors = isValid ? none : checked.Errors(value)
    return isValid
  }
  validate.errors = none
  return validate
}
