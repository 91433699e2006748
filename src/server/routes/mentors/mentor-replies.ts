/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { NearDuplicate } from '../versions/evaluation-reply.ts'

/** Schema of a problem in the data that makes answers worse. */
const Finding = Type.Union(
  [
    Type.Object(
      { kind: Type.Literal('SAME_ID'), answerId: Type.String(), leftOut: Type.Immutable(Type.Array(Type.String())) },
      { description: 'Several answers have the same id. The first counts; `leftOut` has the questions of the others.' }
    ),
    Type.Object(
      {
        kind: Type.Literal('SAME_PHRASE'),
        phrase: Type.String(),
        answerIds: Type.Immutable(Type.Array(Type.String()))
      },
      { description: 'Several answers have the same phrase; only one of them can be given.' }
    ),
    Type.Object(
      { kind: Type.Literal('THIN_ANSWER'), answerId: Type.String(), phraseCount: Type.Integer() },
      { description: 'The answer has too few phrases to learn its meaning.' }
    ),
    Type.Object(
      { kind: Type.Literal('NOTHING_TO_TRAIN'), answerId: Type.String() },
      { description: 'No phrase of the answer has letters or digits.' }
    ),
    Type.Object(
      { kind: Type.Literal('NO_OFF_TOPIC_UTTERANCE') },
      { description: 'There is no utterance to answer off-topic questions with.' }
    ),
    Type.Object(
      { kind: Type.Literal('OTHER_SCRIPT'), answerCount: Type.Integer() },
      {
        description:
          'The number of answers whose phrases are mostly in another script than the Latin. The model has learned from English texts: phrases match word for word, and it understands few others.'
      }
    ),
    Type.Object(
      { kind: Type.Literal('TOO_FEW_ANSWERS'), answerCount: Type.Integer() },
      { description: 'A training needs at least two answers.' }
    )
  ],
  { description: 'A problem in the data that makes answers worse.' }
)

/** Rows and columns of a table that were left out because they are empty. */
export const DroppedView = Type.Object(
  {
    rows: Type.Integer({ description: 'Rows without a value, and repeated headers.' }),
    columns: Type.Array(Type.String(), { description: 'Columns without a value, and those that number the rows.' })
  },
  { description: 'Rows and columns of the CSV that hold no data and were left out; absent when there were none.' }
)
/** Reply to an upload. */
export const StoredReply = Type.Object({
  data: Type.Object({
    mentor: Type.String(),
    revision: Type.String({ description: 'Changes with the content.' }),
    answerCount: Type.Integer({ description: 'Answers that count, without utterances.' }),
    utteranceCount: Type.Integer(),
    phraseCount: Type.Integer({ description: 'Questions and paraphrases of these answers.' }),
    leftOutCount: Type.Integer({
      description:
        'Items of the JSON that are not answers: null, or without an id or a question. Platforms list unrecorded answers like this.'
    }),
    dropped: Type.Optional(DroppedView),
    problems: Type.Array(Type.Object({ line: Type.Integer(), message: Type.String() }), {
      description: 'Lines of the CSV that were left out, and why.'
    }),
    lint: Type.Array(Finding)
  })
})
export type StoredReply = Static<typeof StoredReply>
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
export type MentorList = Static<typeof MentorList>

/** Reply with the findings about a mentor's data. */
export const MentorLint = Type.Object({
  data: Type.Object({
    leftOutCount: Type.Integer({
      description:
        'List items of a GraphQL service that are not answers: never recorded, or to a question that is gone.'
    }),
    lint: Type.Array(Finding),
    nearDuplicates: Type.Union([Type.Array(NearDuplicate), Type.Null()], {
      description: 'Found by the training of the live version; null before the first training.'
    })
  })
})
export type MentorLint = Static<typeof MentorLint>
