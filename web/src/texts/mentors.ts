/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Texts of the studio of mentors. */
export const mentorTexts = {
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
        rows > 0 ? `${rows} rows that are empty, or the header again, were left out.` : '',
        columns.length > 0 ? `Columns that are empty, or number the rows, were left out: ${columns.join(', ')}.` : ''
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
  findings: {
    title: 'What makes answers worse',
    none: 'Nothing was found.',
    more: (count: number) => `Show ${count} more`,
    sameId: (id: string, questions: readonly string[]) =>
      `Several answers have the id ${id}: the first counts, and these have no answer: ${questions.map((question) => `“${question}”`).join(', ')}.`,
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
    otherScript: (count: number) =>
      `The phrases of ${count === 1 ? '1 answer' : `${count} answers`} are in a script that the model has hardly read: it learned from English texts. They match word for word; add many paraphrases.`,
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
