/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Every text of the playground in English. Another language is another file of this shape. */
export const texts = {
  product: 'sbert-service',
  shell: {
    skip: 'Skip to the screen',
    screens: 'Screens',
    docs: 'API reference',
    dark: 'Dark',
    forgetKey: 'Forget key'
  },
  screens: {
    sentences: { title: 'Sentences', lead: 'How alike sentences are in meaning, by their embeddings.' },
    mentors: { title: 'Mentors', lead: 'Questions and answers: upload, train, ask, and improve.' },
    classifiers: { title: 'Classifiers', lead: 'A table becomes a model that predicts one of its columns.' },
    jobs: { title: 'Jobs', lead: 'Work for later: what waits, what runs, and how it ended.' },
    service: { title: 'Service', lead: 'Throughput, latency and memory, as they are now.' }
  },
  key: {
    title: 'Enter a key',
    refused: (sentence: string) => `The service refused the key: ${sentence}. Enter one that it knows.`,
    where:
      'Every call of the API carries a key. It is one of API_SECRET_KEY, or a token. Without that setting, make start makes a key for the run and prints a link that carries it.',
    label: 'Key or token',
    use: 'Use this key',
    kept: 'The key stays in this tab, and is forgotten when the tab is closed.'
  },
  call: {
    title: 'The call behind this',
    language: 'Language',
    languages: { curl: 'curl', typescript: 'TypeScript' },
    copy: 'Copy',
    copied: 'Copied',
    docs: 'All of the API',
    key: 'API_KEY is an environment variable with your key.'
  },
  faults: {
    noAnswer: 'The service does not answer. Check that it runs; this page goes on once it is back.',
    lost: (host: string) =>
      `No connection to ${host}. What you see is from before; this page asks every 2 seconds whether the service is back.`,
    status: (status: number) => `The service answered with status ${status} and no explanation.`,
    page: (message: string) =>
      `This page failed: ${message}. Try again, or load the page anew; nothing stored is lost.`,
    tryAgain: 'Try again',
    reload: 'Load the page anew'
  },
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
