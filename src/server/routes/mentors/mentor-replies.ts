/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type } from 'typebox'

/** A problem in the data that makes answers worse; the other fields depend on `kind`. */
const Finding = Type.Object({ kind: Type.String() }, { additionalProperties: true })
/** Rows and columns of a table that were left out because they are empty. */
export const DroppedView = Type.Object(
  {
    rows: Type.Integer({ description: 'Rows without a value, and the header again.' }),
    columns: Type.Array(Type.String(), { description: 'Columns without a value, and those that number the rows.' })
  },
  { description: 'Rows and columns of the CSV that say nothing and were left out; absent when there were none.' }
)
/** Reply to an upload. */
export const StoredReply = Type.Object({
  data: Type.Object({
    mentor: Type.String(),
    revision: Type.String({ description: 'Changes with the content.' }),
    answerCount: Type.Integer({ description: 'Answers that count, utterances aside.' }),
    utteranceCount: Type.Integer(),
    phraseCount: Type.Integer({ description: 'Questions and paraphrases of these answers.' }),
    leftOutCount: Type.Integer({
      description:
        'Answers of the JSON that are none: null, or without an id or a question, as a platform lists what was never recorded.'
    }),
    dropped: Type.Optional(DroppedView),
    problems: Type.Array(Type.Object({ line: Type.Integer(), message: Type.String() }), {
      description: 'Lines of the CSV that were left out, and why.'
    }),
    lint: Type.Array(Finding)
  })
})
/** Reply that lists the stored mentors. */
export const MentorList = Type.Object({
  data: Type.Array(
    Type.Object({
      mentor: Type.String(),
      name: Type.Optional(Type.String()),
      answerCount: Type.Integer(),
      revision: Type.String(),
      updated: Type.String({ format: 'date-time' })
    })
  )
})
