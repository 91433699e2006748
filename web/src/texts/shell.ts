/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Texts of what surrounds the screens: navigation, the key, the call behind a screen, faults. */
export const shellTexts = {
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
  drop: { hint: 'Drop a file here, or choose one.' }
} as const
