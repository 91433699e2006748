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
  },
  drop: { hint: 'Drop a file here, or choose one.' },
  mentors: {
    none: 'There is no mentor yet. Start from the example, or drop a table of questions and answers.',
    noneToAsk: 'There is no mentor to ask yet. Someone whose key may train has to upload one.',
    all: 'All mentors',
    columns: { mentor: 'Mentor', answers: 'Answers', changed: 'Changed' },
    add: 'Add a mentor',
    id: 'Id, else the name of the file',
    idPlaceholder: 'noor',
    drop: 'A table (CSV) or a mentor (JSON)',
    columnsHint: 'Columns: question, paraphrases (separated by |), answer; id and topic if you like.',
    example: 'The example is Noor, a tidal energy engineer: 83 answers, each with four phrases that people ask it by.',
    startFromExample: 'Start from the example'
  },
  upload: {
    title: 'The upload',
    stored: (answers: number, phrases: number) => `Stored: ${answers} answers with ${phrases} phrases.`,
    close: 'Close',
    leftOut: (count: number) => `${count} list items are no answers, and were left out.`,
    dropped: (rows: number, columns: readonly string[]) =>
      [
        rows > 0 ? `${rows} empty rows were left out.` : '',
        columns.length > 0 ? `Empty columns were left out: ${columns.join(', ')}.` : ''
      ]
        .join(' ')
        .trim(),
    problems: 'Lines that were not taken',
    problem: (line: number, message: string) => `Line ${line}: ${message}`
  },
  studio: {
    back: '← All mentors',
    tabs: 'Parts of the studio',
    tab: { data: 'Data', ask: 'Ask', evaluation: 'Evaluation', versions: 'Versions', review: 'Review' },
    answers: (count: number) => (count === 1 ? '1 answer' : `${count} answers`),
    untrained: 'not trained yet',
    live: (version: number, accuracy: string) => `version ${version} answers, ${accuracy} right`,
    askIt: 'Ask a question',
    export: 'Export CSV',
    delete: 'Delete',
    reallyDelete: (id: string) => `Delete the mentor ${id}, with its models and all that was asked?`
  },
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
  findings: {
    title: 'What makes answers worse',
    none: 'Nothing was found.',
    more: (count: number) => `Show ${count} more`,
    samePhrase: (phrase: string, count: number) =>
      `“${phrase}” belongs to ${count} answers, of which it can get only one. Leave it to:`,
    leaveTo: (question: string) => question,
    thin: (question: string, count: number) =>
      `“${question}” has ${count === 1 ? '1 phrase' : `${count} phrases`}: too few to learn what people mean by it.`,
    addPhrases: 'Add phrases',
    nothingToTrain: (question: string) => `“${question}” has no phrase with a letter or digit, and is never found.`,
    removeAnswer: 'Remove the answer',
    noOffTopic: 'Nothing is said to questions that the mentor has no answer to.',
    addOffTopic: 'Add an off-topic answer',
    offTopicText: 'I have no answer to that. Could you ask me something else?',
    tooFewAnswers: (count: number) => `There are ${count} answers to train on; it takes two to tell anything apart.`,
    nearDuplicate: (one: string, other: string, similarity: number) =>
      `“${one}” and “${other}” mean about the same (${similarity.toFixed(2)}), and lead to different answers.`,
    dropPhrase: (phrase: string) => `Drop “${phrase}”`
  },
  answers: {
    title: (count: number) => (count === 1 ? '1 answer' : `${count} answers`),
    add: 'Add an answer',
    search: 'Search questions and answers',
    noneFound: 'No answer has these words.',
    more: (count: number) => `Show more of ${count}`,
    phrases: (count: number) => (count === 1 ? '1 phrase' : `${count} phrases`),
    utterance: 'utterance',
    question: 'Question',
    paraphrases: 'Other ways to ask it, one a line',
    answer: 'Answer',
    save: 'Save',
    remove: 'Remove'
  },
  howGood: {
    title: 'How good it is',
    untrained: 'Train the mentor to see how many questions get their answer.',
    stale: (version: number) =>
      `The data have changed since version ${version} was trained. Train to see what that does.`,
    since: (version: number, change: string) => `${change} points since version ${version}`,
    changed: (fixed: number, broken: number) =>
      `Of the phrases of both versions ${fixed} are right now that were wrong, and ${broken} are wrong that were right.`,
    newlyWrong: 'Newly wrong',
    all: 'The whole evaluation'
  },
  ask: {
    label: 'Question',
    placeholder: 'What would you like to know?',
    ask: 'Ask',
    nothingYet: 'Ask something, in your own words.',
    types: { EXACT: 'exact match', PARAPHRASE: 'paraphrase', CLASSIFIER: 'classifier', OFF_TOPIC: 'off topic' },
    typesWhy: {
      EXACT: 'The words are those of the answer’s own question.',
      PARAPHRASE: 'The words are those of a paraphrase, or of a question that a person has judged.',
      CLASSIFIER: 'No phrase has these words; the classifier found the answer by meaning.',
      OFF_TOPIC: 'No answer is likely enough, so the mentor says that it has none.'
    },
    why: 'Why this answer',
    missing: 'The answer that was learned is gone from the mentor. Train anew.',
    noText: 'This answer has no text.',
    video: 'Recorded answer',
    openVideo: 'Open the video',
    scale: (confidence: string, threshold: string | undefined) =>
      threshold === undefined
        ? `Confidence ${confidence}`
        : `Confidence ${confidence}; below ${threshold} a question is off topic`,
    offTopicBelow: (threshold: string) => `off topic below ${threshold}`,
    made: (topic: number, match: number) =>
      `That any answer fits has the probability ${topic.toFixed(2)}; the best one’s share among all that could be meant is ${match.toFixed(2)}.`,
    nearness: (similarity: number, characters: number) =>
      `To the nearest phrase the cosine is ${similarity.toFixed(2)} by meaning and ${characters.toFixed(2)} by letters.`,
    nearest: 'Nearest training phrases',
    taughtOffTopic: 'off topic',
    alternatives: 'What the classifier considered'
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
    nothing: 'no answer',
    refusedTag: 'refused',
    more: (count: number) => `Show more of ${count}`
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
  },
  classifiers: {
    none: 'There is no classifier yet. Start from an example, or drop a table.',
    noneToAsk: 'There is no classifier to ask yet. Someone whose key may train has to bring a table.',
    all: 'All classifiers',
    columns: { name: 'Name', predicts: 'Predicts', from: 'From', classes: 'Classes', accuracy: 'Accuracy' },
    add: 'Add a classifier',
    name: 'Name, else the name of the file',
    namePlaceholder: 'letters',
    drop: 'A table (CSV or JSON)',
    columnsHint: 'The column label is predicted; every other column is read, texts by their meaning.',
    examples:
      'Letters to a library are sorted by their texts, in four classes; sensors by two numbers, in two. Both are small enough to read.',
    startFrom: { letters: 'Start from letters', sensors: 'Start from sensors' },
    back: '← All classifiers',
    predicts: (label: string, features: string) => `predicts ${label} from ${features}`,
    reallyDelete: (name: string) => `Delete the classifier ${name}, with all its versions?`,
    trainAnew: 'Train anew from a table',
    unknown: (name: string) => `There is no classifier ${name}.`,
    understood: 'How the table was understood',
    read: (rows: number, classes: number, label: string) =>
      `${rows} rows; ${label} has ${classes} different values, the classes to predict.`,
    featureColumns: 'Columns that are read',
    types: { text: 'text', number: 'number' },
    sameInput: (count: number, rows: readonly number[], labels: readonly string[]) =>
      `${count} inputs have several labels, of which at most one can be learned: rows ${rows.join(', ')} say ${labels.join(' and ')}.`,
    tab: { predict: 'Predict', evaluation: 'Evaluation', versions: 'Versions' }
  },
  predict: { title: 'A row', predict: 'Predict', nothingYet: 'Fill in a row to see what is predicted.' },
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
  },
  review: {
    none: 'Nothing waits: every question that was asked matched a phrase, or was judged.',
    waiting: (questions: number, clusters: number) =>
      `${questions} questions wait, in ${clusters} groups of about the same meaning; those first where a decision tells most.`,
    asked: (count: number) => (count === 1 ? 'asked once' : `asked ${count} times`),
    answer: 'Right answer',
    suggested: (confidence: string) => `Right answer, suggested with ${confidence}`,
    choose: 'Choose an answer',
    accept: 'Accept',
    reject: 'Off topic',
    newAnswer: 'New answer',
    newAnswerLabel: 'What the mentor says to these questions',
    save: 'Add the answer',
    changed: 'What the decision changed',
    changedAnswer: (question: string, before: string, after: string) => `“${question}”: ${before} → ${after}`,
    later: 'Left empty, the answer waits in the mentor to be recorded.'
  }
} as const
