/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { Media } from '../../../mentor/mentor.ts'

const MediaReply = Type.Union([Media, Type.Null()])
/** Reply to a question. */
export const QuestionReply = Type.Object({
  question: Type.String({ description: 'As asked.' }),
  question_id: Type.String(),
  answer_id: Type.String(),
  answer_text: Type.String(),
  answer_markdown_text: Type.String(),
  answer_media: Type.Object({
    web_media: Type.Optional(MediaReply),
    mobile_media: Type.Optional(MediaReply),
    vtt_media: Type.Optional(MediaReply)
  }),
  external_video_ids: Type.Record(Type.String(), Type.Unknown()),
  answer_type: Type.Enum(['EXACT', 'PARAPHRASE', 'CLASSIFIER', 'OFF_TOPIC']),
  confidence: Type.Number({
    description: 'A probability for `softmax`; 1 for a match, -1 for a missing answer.'
  }),
  feedback_id: Type.String({ description: 'Id of the record of this answer.' }),
  classifier: Type.String({ description: 'Architecture and version, as `softmax/3`.' }),
  answer_missing: Type.Boolean({
    description: 'Whether the classifier chose an answer that the mentor no longer has.'
  }),
  alternatives: Type.Optional(
    Type.Array(
      Type.Object({
        answer_id: Type.String(),
        question_id: Type.String(),
        question: Type.String(),
        confidence: Type.Number()
      }),
      { description: 'The classifier’s best answers, also when the question is off topic.' }
    )
  ),
  explanation: Type.Optional(
    Type.Union(
      [
        Type.Object({
          topic_score: Type.Number({ description: 'Probability that any answer fits.' }),
          match: Type.Number({ description: 'Probability of this answer, given that one of the answers fits.' }),
          threshold: Type.Number({ description: 'A confidence below this is off topic.' }),
          similarity: Type.Number({ description: 'Cosine to the nearest phrase.' }),
          character_similarity: Type.Number({ description: 'Cosine of character n-grams to the nearest phrase.' }),
          nearest_phrases: Type.Array(
            Type.Object({
              phrase: Type.String({ description: 'A phrase of the training data.' }),
              answer_id: Type.Union([Type.String(), Type.Null()], {
                description: 'Null for a phrase that was trained as off topic.'
              }),
              similarity: Type.Number(),
              character_similarity: Type.Number()
            }),
            { description: 'The most informative phrases, the nearest by both similarities first.' }
          )
        }),
        Type.Null()
      ],
      { description: 'Explanation of the confidence; null for a match, and for architectures without probabilities.' }
    )
  )
})
export type QuestionReply = Static<typeof QuestionReply>
