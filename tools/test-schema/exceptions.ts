/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Failure } from './failures.ts'

/** A failure of Schemathesis that is not a fault of the service. */
export interface NamedException {
  /** Such as `GET /v1/encode`; `any` for all. */
  readonly operation: string
  readonly check: string
  /** What the reply, or the message of the check, says. */
  readonly says: RegExp
  /** Why the service is right. */
  readonly reason: string
}

/** The named exceptions; every other failure counts. */
export const EXCEPTIONS: readonly NamedException[] = [
  {
    operation: 'any',
    check: 'positive_data_acceptance',
    says: /the key \\?"__proto__\\?" is not taken/,
    reason: 'No schema can say that the key __proto__, which changes what an object inherits, is refused.'
  },
  {
    operation: 'GET /mentors/{mentor}/versions',
    check: 'use_after_free',
    says: /"versions":\[\]/,
    reason: 'A mentor without versions has an empty list whether or not it is known: its source may be another service.'
  },
  {
    operation: 'GET /v1/jobs',
    check: 'positive_data_acceptance',
    says: /the cursor is not the `next` of a page/,
    reason: 'A cursor is what a page ended with, and random text is none.'
  },
  {
    operation: 'GET /v1/jobs/{id}/result',
    check: 'positive_data_acceptance',
    says: /the job has another one/,
    reason: 'Which formats a result has depends on the job: only embeddings are to be had as float32 or as lines.'
  },
  {
    operation: 'OPTIONS /mentors/{mentor}/versions/live/evaluation',
    check: 'allow_header_conformance',
    says: /advertised: GET/,
    reason: 'GET of this address is documented as that of `…/versions/{version}/evaluation`, and `live` is a version.'
  },
  {
    operation: 'POST /mentors/{mentor}/review',
    check: 'positive_data_acceptance',
    says: /Cannot (?:accept|add|grade)/,
    reason:
      'Which members a decision needs depends on the decision, and a question needs a letter or digit to be matched by.'
  },
  {
    operation: 'POST /mentors/{mentor}/versions',
    check: 'positive_data_acceptance',
    says: /Cannot import the version/,
    reason: 'Random bytes are no file of an exported version.'
  },
  {
    operation: 'POST /v1/classifiers/{classifier}/versions',
    check: 'positive_data_acceptance',
    says: /Cannot import the version/,
    reason: 'Random bytes are no file of an exported version.'
  },
  {
    operation: 'POST /mentors/{mentor}/versions/live/evaluation',
    check: 'positive_data_acceptance',
    says: /Cannot (?:read training data|evaluate)/,
    reason: 'Random text is no CSV with the columns of questions.'
  },
  {
    operation: 'PUT /mentors/{mentor}',
    check: 'positive_data_acceptance',
    says: /Cannot (?:read training data|store the (?:mentor|table)|read the mentor: a JSON object with one of)/,
    reason: 'Random text is no CSV with the columns of questions and a line, and JSON needs a member of a mentor.'
  },
  {
    operation: 'PUT /mentors/{mentor}',
    check: 'negative_data_rejection',
    says: /"leftOutCount":/,
    reason:
      'What is no answer or question is passed over, as in the replies of a mentor platform, and the rest is stored.'
  },
  {
    operation: 'POST /v1/classifiers/{classifier}/predict',
    check: 'positive_data_acceptance',
    says: /Cannot (?:predict|read)/,
    reason: 'The columns are those that the classifier was trained on, which no random table has.'
  },
  {
    operation: 'POST /v1/classifiers/{classifier}/train',
    check: 'positive_data_acceptance',
    says: /Cannot (?:train|read)/,
    reason: 'A random value is no table with labels; options of the address are told apart from it in words.'
  },
  {
    operation: 'PUT /v1/classifiers/{classifier}/versions',
    check: 'positive_data_acceptance',
    says: /Cannot take the model/,
    reason: 'Random bytes are no form with a model in ONNX.'
  },
  {
    operation: 'POST /v1/embeddings',
    check: 'positive_data_acceptance',
    says: /token ids of another tokenizer|input\[\d+\] (?:holds|is)/,
    reason: 'Token ids have a form that depends on the model’s vocabulary, and texts of a list may not be empty.'
  },
  {
    operation: 'POST /v1/embeddings',
    check: 'positive_data_acceptance',
    says: /dimensions is more than they have/,
    reason:
      'How many numbers an embedding has is known only once the model is loaded, and the document is there before.'
  },
  {
    operation: 'POST /v1/encode/cos_sim_weight',
    check: 'positive_data_acceptance',
    says: /more than \d+ together/,
    reason: 'The limit of sentences is one for both sides together.'
  },
  {
    operation: 'POST /v1/jobs',
    check: 'positive_data_acceptance',
    says: /Cannot accept the job/,
    reason: 'What a job takes depends on its type, and a callback URL must be one that may be called.'
  },
  {
    operation: 'POST /v2/models/{model}/infer',
    check: 'positive_data_acceptance',
    says: /"error":"Cannot (?:infer|read)/,
    reason: 'Names, datatypes and shapes of tensors are those of the model, which another route tells.'
  },
  {
    operation: 'POST /v2/models/{model}/versions/{version}/infer',
    check: 'positive_data_acceptance',
    says: /"error":"Cannot (?:infer|read)/,
    reason: 'Names, datatypes and shapes of tensors are those of the model, which another route tells.'
  },
  {
    operation: 'POST /train',
    check: 'positive_data_acceptance',
    says: /offTopic is for softmax/,
    reason: 'The bound of off-topic questions is for one of the two architectures.'
  }
]

/** The exception that matches a failure, if any. */
export function exceptionOf(
  failure: Failure,
  exceptions: readonly NamedException[] = EXCEPTIONS
): NamedException | undefined {
  return exceptions.find(
    ({ operation, check, says }) =>
      (operation === 'any' || operation === failure.operation) &&
      check === failure.check &&
      (says.test(failure.reply) || says.test(failure.message))
  )
}
