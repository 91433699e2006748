/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Texts of trained models: their training, evaluation and versions. */
export const modelTexts = {
  training: {
    title: 'Training',
    start: 'Train',
    running: 'Training…',
    stages: {
      READING: 'Read the data',
      ENCODING: 'Encode phrases',
      FITTING: 'Fit and evaluate',
      STORING: 'Store the version'
    },
    failed: (why: string) => `The training failed: ${why}`,
    refused: (version: number, why: string) =>
      `Version ${version} is kept but does not answer: ${why}. Promote it under Versions if you know better.`,
    done: (version: number, duration: string, accuracy: string) =>
      `Version ${version} answers from now on. Trained in ${duration}; ${accuracy} of what was held out was right.`
  },
  evaluation: {
    untrained: 'There is no version to evaluate yet: train first.',
    version: 'Version',
    liveVersion: (version: number) => `${version} (live)`,
    how: 'Measured on phrases that the model had not seen, by cross-validation.',
    notMeasured: 'Not measured',
    figures: {
      between: (name: string, low: string, high: string) => `${name.toLowerCase()} ${low} to ${high}`,
      foreseen: (figures: string) =>
        `What users ask differs from what authors write. Of their questions expect, in nine cases of ten: ${figures}.`,
      accuracy: 'Accuracy',
      of: (count: number) => `of ${count} questions`,
      answeredRight: 'Answered right',
      withRule: 'off-topic rule included',
      refused: 'Refused',
      refusedNote: 'of good questions',
      offTopicRefused: 'Off topic refused',
      offTopicNote: 'of questions without an answer',
      calibrationError: 'Calibration error',
      calibrationNote: '0 is perfect'
    },
    calibration: 'Calibration',
    calibrationCaption: 'Share of right answers by confidence',
    calibrationHint:
      'On the dashed line a confidence of 70% is right seven times of ten. Larger dots are more questions.',
    noCalibration: 'The confidence of this model is no probability.',
    confidence: 'Confidence',
    shareRight: 'Share right',
    curve: 'Off topic',
    curveCaption: 'What would happen with another threshold',
    curveHint: 'A higher threshold refuses more questions that nothing answers, and more that something does.',
    noCurve: 'There was too little to measure it.',
    threshold: 'Threshold',
    now: 'now',
    shareOfQuestions: 'Share of questions',
    measures: {
      coverage: 'good questions answered',
      errorRate: 'wrong answers',
      offTopicAnswered: 'off-topic questions answered'
    },
    confusions: 'Confused with each other',
    noConfusions: 'No question got another’s answer.',
    count: 'Times',
    meant: 'Meant',
    got: 'Got',
    errors: (count: number) => (count === 1 ? '1 error' : `${count} errors`),
    noErrors: 'None.',
    question: 'Question',
    refusedTag: 'refused',
    more: (count: number) => `Show more of ${count}`
  },
  offTopicBound: {
    label: 'The threshold of the next version',
    kinds: {
      default: 'The default, which serves most mentors',
      answerGood: 'Answers most questions that it has an answer to',
      refuseNonsense: 'Refuses most questions that nothing answers'
    },
    percent: 'At least, in percent of them',
    train: 'Train with this threshold',
    hint: 'Later trainings keep the choice. The share is what users will see, as far as held-out phrases foretell it.'
  },
  versions: {
    title: 'Versions',
    none: 'There is no version yet: train first.',
    live: 'live',
    rollBack: 'Roll back',
    columns: {
      version: 'Version',
      trained: 'Trained',
      architecture: 'Model',
      samples: 'Samples / classes',
      accuracy: 'Accuracy',
      offTopicRefused: 'Off topic refused',
      actions: 'Actions'
    },
    compare: 'Compare',
    compareLabel: (version: number) => `Compare version ${version} with the live one`,
    promote: 'Promote',
    promoteLabel: (version: number) => `Promote version ${version}`,
    export: 'Save',
    exportLabel: (version: number) => `Save the model file of version ${version}`,
    history: 'History',
    change: (kind: 'PROMOTED' | 'ROLLED_BACK', version: number, at: string, by: string) =>
      `${at}: ${kind === 'PROMOTED' ? 'promoted' : 'rolled back to'} version ${version}, by ${by}`,
    diffTitle: (version: number, live: number) => `Version ${version} beside ${live}`,
    figures: {
      accuracy: 'Accuracy',
      macroF1: 'Mean F1',
      refused: 'Refused',
      offTopicRefused: 'Off topic refused'
    },
    besideLive: (live: string, change: string) => `live ${live}, ${change} points`,
    fixed: 'Fixed',
    broken: 'Broken',
    ofCommon: (count: number) => `of ${count} phrases in both`,
    gone: (count: number) => (count === 1 ? '1 error fewer' : `${count} errors fewer`),
    added: (count: number) => (count === 1 ? '1 error more' : `${count} errors more`)
  }
} as const
