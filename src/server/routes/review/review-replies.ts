/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'

/** Reply that lists the questions that wait for review. */
export const ReviewReply = Type.Object({
  data: Type.Object({
    mentor: Type.String(),
    considered: Type.Integer({ description: 'Number of recent questions that were considered, repetitions included.' }),
    waiting: Type.Integer({ description: 'Number of different questions among them that wait for a decision.' }),
    clusters: Type.Array(
      Type.Object({
        question: Type.String({ description: 'The question that the others are similar to.' }),
        count: Type.Integer({ description: 'How often the questions of the cluster were asked.' }),
        questionCount: Type.Integer({
          description: 'Number of different questions, including those that are not listed.'
        }),
        questions: Type.Array(
          Type.Object({
            question: Type.String(),
            count: Type.Integer(),
            answer_type: Type.Enum(['CLASSIFIER', 'OFF_TOPIC']),
            confidence: Type.Number(),
            margin: Type.Union([Type.Number(), Type.Null()], {
              description: 'Margin of the classifier’s best answer over its second.'
            }),
            asked: Type.String({ format: 'date-time', description: 'When it was last asked.' })
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
          { description: 'The live version’s answer to the first question, when it is likely.' }
        )
      }),
      { description: 'The most informative first.' }
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
    graded: Type.Integer({ description: 'Number of questions that the decision is about.' }),
    answerId: Type.Union([Type.String(), Type.Null()], { description: 'The answer of these questions from now on.' }),
    changed: Type.Array(Type.Object({ question: Type.String(), before: PreviewReply, after: PreviewReply }), {
      description: 'Questions whose answer has changed, among the first 50 of the decision.'
    })
  })
})
export type DecisionReply = Static<typeof DecisionReply>
