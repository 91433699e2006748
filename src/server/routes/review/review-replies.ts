/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'

/** Reply that lists the questions that wait for review. */
export const ReviewReply = Type.Object({
  data: Type.Object({
    mentor: Type.String(),
    considered: Type.Integer({ description: 'Askings that were looked at, the latest.' }),
    waiting: Type.Integer({ description: 'Different questions among them that wait for a judgement.' }),
    clusters: Type.Array(
      Type.Object({
        question: Type.String({ description: 'The one that the others are near to.' }),
        count: Type.Integer({ description: 'How often the questions of the cluster were asked.' }),
        questionCount: Type.Integer({ description: 'Different questions, also those that are not listed.' }),
        questions: Type.Array(
          Type.Object({
            question: Type.String(),
            count: Type.Integer(),
            answer_type: Type.Enum(['CLASSIFIER', 'OFF_TOPIC']),
            confidence: Type.Number(),
            margin: Type.Union([Type.Number(), Type.Null()], {
              description: 'How much more the classifier liked its best answer than its second.'
            }),
            asked: Type.String({ format: 'date-time', description: 'Last.' })
          })
        ),
        suggestion: Type.Union(
          [
            Type.Object({
              answer_id: Type.String(),
              question_id: Type.String(),
              question: Type.String(),
              confidence: Type.Number()
            }),
            Type.Null()
          ],
          { description: 'The live version’s answer to the first question, when it has one that is likely.' }
        )
      }),
      { description: 'Those first where a judgement tells most.' }
    )
  })
})
export type ReviewReply = Static<typeof ReviewReply>

const PreviewReply = Type.Object({
  answer_id: Type.String(),
  answer_type: Type.Enum(['EXACT', 'PARAPHRASE', 'CLASSIFIER', 'OFF_TOPIC']),
  confidence: Type.Number()
})

/** Reply to a decision. */
export const DecisionReply = Type.Object({
  data: Type.Object({
    mentor: Type.String(),
    decision: Type.String(),
    graded: Type.Integer({ description: 'Questions that the decision was about.' }),
    answerId: Type.Union([Type.String(), Type.Null()], { description: 'The answer that they have now.' }),
    changed: Type.Array(Type.Object({ question: Type.String(), before: PreviewReply, after: PreviewReply }), {
      description: 'The first 50 questions are asked before and after the decision: those that are answered otherwise.'
    })
  })
})
export type DecisionReply = Static<typeof DecisionReply>
