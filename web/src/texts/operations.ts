/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Texts of the screens of jobs and of the service. */
export const operationTexts = {
  jobs: {
    title: 'Jobs',
    none: 'There is no job yet. Trainings are jobs, and so is work that takes longer than a request should wait.',
    noneOfState: 'No job is in this state.',
    show: 'Show',
    states: {
      ALL: 'All',
      QUEUED: 'Queued',
      IN_PROGRESS: 'In progress',
      SUCCESS: 'Succeeded',
      DEAD: 'Dead letters',
      PERMANENT: 'Failed for good',
      CANCELLED: 'Cancelled'
    },
    status: {
      QUEUED: 'queued',
      IN_PROGRESS: 'in progress',
      SUCCESS: 'succeeded',
      FAILURE: 'failed',
      DEAD: 'dead letter',
      PERMANENT: 'failed for good',
      CANCELLED: 'cancelled'
    },
    columns: {
      status: 'State',
      type: 'Type',
      created: 'Created',
      tries: 'Tries',
      about: 'Id and last error',
      actions: 'Actions'
    },
    enqueue: 'Enqueue an example',
    exampleSentence: (number: number) => `This is sentence ${number} of a job that encodes many of them.`,
    cancel: 'Cancel',
    redrive: 'Redrive',
    result: 'Result',
    newer: 'Newer',
    older: 'Older'
  },
  watch: {
    waiting: 'Listening for the first second…',
    seconds: 'Seconds',
    figures: {
      sentences: 'Sentences',
      requests: 'Requests',
      perSecond: 'a second',
      batch: 'Batch',
      batchNote: 'sentences each',
      cache: 'Cache hits',
      cacheNote: 'of single encodings',
      waiting: 'Waiting',
      waitingNote: 'sentences',
      memory: 'Memory',
      ofLimit: (limit: string) => `of ${limit}`
    },
    plots: {
      throughput: 'Throughput',
      perSecond: 'A second',
      sentences: 'sentences',
      requests: 'requests',
      latency: 'Latency',
      meanMs: 'Mean of each second',
      inference: 'inference',
      queue: 'queue',
      tokenize: 'tokenize',
      batch: 'Batch size',
      sentencesPerBatch: 'Sentences a batch',
      memory: 'Memory',
      ofLimit: (limit: string) => `Share of ${limit}`
    }
  },
  burst: {
    title: 'What batching does',
    lead: (count: number) =>
      `Sends ${count} new sentences in three ways. It takes a second or two, and leaves others their turn.`,
    send: 'Send a burst',
    sending: 'Sending…',
    ways: {
      'one-by-one': 'One after the other',
      'at-once': 'All at once, a call each',
      'one-call': 'In one call'
    },
    columns: {
      way: 'Way',
      duration: 'Time',
      rate: 'Sentences a second',
      queue: 'Queue, mean',
      inference: 'Inference, mean'
    }
  }
} as const
