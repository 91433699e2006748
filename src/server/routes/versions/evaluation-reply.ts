/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static } from 'typebox'
import { ModelFigures } from '../../../learning/model-figures.ts'
import { OffTopicBound } from '../../../learning/off-topic-bound.ts'

const Figure = Type.Union([Type.Number(), Type.Null()])
const Interval = Type.Union([Type.Object({ low: Type.Number(), high: Type.Number() }), Type.Null()])

/** Schema of an error of a version. */
const NamedError = Type.Object({
  question: Type.String(),
  classId: Type.String({ description: 'The right class.' }),
  predictedId: Type.String(),
  confidence: Type.Number(),
  isOffTopic: Type.Boolean({ description: 'Whether the off-topic rule refused it.' })
})

// `Type.Tuple` would write `items` as a list, which OpenAPI 3.1 does not know.
const TwoTexts = Type.Unsafe<[string, string]>(Type.Array(Type.String(), { minItems: 2, maxItems: 2 }))

/** Schema of two phrases of different answers that mean about the same. */
export const NearDuplicate = Type.Object({
  phrases: TwoTexts,
  answerIds: TwoTexts,
  similarity: Type.Number({ description: 'Cosine similarity of their embeddings.' })
})

const OffTopicPoint = Type.Object({
  threshold: Type.Number(),
  coverage: Type.Number({ description: 'Share of the on-topic questions that are answered.' }),
  errorRate: Type.Union([Type.Number(), Type.Null()], { description: 'Share of these answers that are wrong.' }),
  offTopicAnswered: Type.Union([Type.Number(), Type.Null()], {
    description: 'Share of the off-topic questions that are answered.'
  })
})

const EVALUATION = {
  ...ModelFigures.properties,
  offTopicCount: Type.Integer(),
  answeredRight: Type.Union([Type.Number(), Type.Null()], {
    description: 'Share of the questions with a known answer that get it.'
  }),
  calibration: Type.Union(
    [
      Type.Array(Type.Object({ count: Type.Integer(), meanConfidence: Type.Number(), accuracy: Type.Number() })),
      Type.Null()
    ],
    { description: 'Bins by rising confidence; null where confidence is not a probability.' }
  ),
  confidenceBins: Type.Array(Type.Object({ upTo: Figure, share: Type.Number() }), {
    description: 'Distribution of the confidences.'
  }),
  offTopicCurve: Type.Array(OffTopicPoint),
  classes: Type.Array(
    Type.Object({
      classId: Type.String(),
      support: Type.Integer({ description: 'Questions of the class.' }),
      precision: Figure,
      recall: Figure,
      f1: Figure
    })
  ),
  confusions: Type.Array(Type.Object({ classId: Type.String(), predictedId: Type.String(), count: Type.Integer() }), {
    description: 'Pairs of classes that are confused, most frequent first.'
  }),
  errors: Type.Array(NamedError, { description: 'Questions whose best class is wrong, the most confident first.' })
}

/** Reply with the evaluation of a version on the caller's own questions. */
export const OwnEvaluation = Type.Object({ data: Type.Object({ evaluation: Type.Object(EVALUATION) }) })

/** Reply with the report of a training. */
export const TrainingReport = Type.Object({
  data: Type.Object({
    evaluation: Type.Object({
      ...EVALUATION,
      threshold: Type.Optional(Type.Number({ description: 'Of `softmax`: a confidence below this is off topic.' })),
      priorShare: Type.Optional(
        Type.Number({ description: 'Of `softmax`: weight of other mentors’ experience in the off-topic rule.' })
      ),
      foreseen: Type.Optional(
        Type.Object(
          {
            accuracy: Interval,
            refused: Interval,
            offTopicRefused: Interval,
            offTopicAuroc: Interval,
            calibrationError: Interval
          },
          { description: 'Of `softmax`: 90% prediction intervals of the metrics on users’ questions.' }
        )
      )
    }),
    offTopicBound: Type.Optional(
      Type.Union([OffTopicBound, Type.Null()], {
        description: 'Of `softmax`: the bound of the off-topic rule; null: the default threshold.'
      })
    ),
    notMeasured: Type.Array(Type.String(), { description: 'What could not be measured, for people.' }),
    nearDuplicates: Type.Array(NearDuplicate)
  })
})
export type TrainingReport = Static<typeof TrainingReport>

const Compared = { from: Figure, to: Figure, change: Figure }

/** Reply that compares two versions. */
export const DiffReply = Type.Object({
  data: Type.Object({
    from: Type.Integer(),
    to: Type.Integer(),
    figures: Type.Object({
      questionCount: Type.Object(Compared),
      accuracy: Type.Object(Compared),
      macroF1: Type.Object(Compared),
      calibrationError: Type.Object(Compared),
      offTopicAuroc: Type.Object(Compared),
      offTopicRefused: Type.Object(Compared),
      refused: Type.Object(Compared)
    }),
    samples: Type.Object(
      {
        common: Type.Integer(),
        rightInBoth: Type.Integer(),
        wrongInBoth: Type.Integer(),
        fixed: Type.Integer({ description: 'Wrong before, right now.' }),
        broken: Type.Integer({ description: 'Right before, wrong now.' })
      },
      { description: 'Samples on which both versions were evaluated.' }
    ),
    classes: Type.Array(Type.Object({ classId: Type.String(), ...Compared }), {
      description: 'Classes whose F1 differs, the largest change first.'
    }),
    errors: Type.Object(
      { added: Type.Array(NamedError), gone: Type.Array(NamedError) },
      { description: 'Errors that only one of the versions makes.' }
    )
  })
})
export type DiffReply = Static<typeof DiffReply>
