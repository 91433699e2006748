/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Texts of the screen of sentences. */
export const sentenceTexts = {
  sentences: {
    example: [
      'How do I reset my password?',
      'I forgot my login and cannot get in.',
      'Where can I change my password?',
      'The parcel has not arrived yet.',
      'My package is still missing.',
      'When does the shop open on Sundays?',
      'What are your opening hours at the weekend?',
      'The tide turns about every six hours.'
    ].join('\n'),
    label: 'Sentences, one a line',
    compare: 'Compare',
    comparing: 'Comparing…',
    count: (count: number) => (count === 1 ? '1 sentence' : `${count} sentences`),
    tooMany: (count: number, max: number) => `${count} sentences: this page compares up to ${max}, the API takes more.`,
    figures: {
      sentences: 'Sentences',
      tokens: 'Tokens',
      time: 'Time',
      cached: 'From the cache',
      revision: 'Model'
    },
    heatMap: 'Similarity',
    heatMapCaption: 'Cosine similarity of each sentence with each',
    firstOnly: (count: number) => `The first ${count} sentences.`,
    pointHint: 'Point at a cell to read its two sentences.',
    pointedPair: (score: number, a: string, b: string) => `${score.toFixed(3)}: “${a}” and “${b}”`,
    pairs: 'Nearest pairs',
    map: 'Map',
    mapCaption: 'Embeddings on the plane that shows most of how they differ',
    mapHint: 'Point at a dot to read its sentence.',
    explained: (percent: string) =>
      `Principal components: the plane shows ${percent} of the variance of 384 dimensions.`,
    each: 'Each sentence',
    oneCall: (max: number) =>
      `More than ${max} sentences are encoded in one call, which the reply cache does not keep.`,
    columns: { sentence: 'Sentence', tokens: 'Tokens', time: 'Time', inference: 'Inference', cache: 'Reply' },
    truncated: 'cut',
    hit: 'cache hit',
    computed: 'computed'
  }
} as const
