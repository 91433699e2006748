/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Texts of the screen of classifiers. */
export const classifierTexts = {
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
    similarLabels: (count: number, rows: readonly number[], labels: readonly string[]) =>
      `${count} groups of labels differ only in case, white space or accents: rows ${rows.join(', ')} say ${labels.join(' and ')}.`,
    tab: { predict: 'Predict', evaluation: 'Evaluation', versions: 'Versions' }
  },
  predict: { title: 'A row', predict: 'Predict', nothingYet: 'Fill in a row to see what is predicted.' }
} as const
