/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** The fold of a sample that is never held out. */
export const ALWAYS_TRAINED = -1

/**
 * Assigns samples to stratified folds, the same way each time: every class is spread over as many folds as possible.
 *
 * Samples of one group (equal texts) go to the same fold, since one of them in training would leak the other. A class
 * of a single group is {@link ALWAYS_TRAINED}: held out, its answer could never be right. Within a class the order is
 * shuffled by a fixed generator, since neighbours in a table are often variants of one another.
 *
 * @param labels class of each sample
 * @param groups group of each sample; left out, each sample is its own group
 * @returns fold of each sample, 0 to foldCount − 1 or ALWAYS_TRAINED
 * @throws RangeError when there are fewer than 2 folds
 */
export function stratifiedFolds(labels: Int32Array, foldCount: number, groups?: Int32Array): Int32Array {
  if (foldCount < 2) throw new RangeError(`Cannot deal samples to ${foldCount} folds: at least 2 wanted`)
  const folds = new Int32Array(labels.length).fill(ALWAYS_TRAINED)
  const groupsOfClass = new Map<number, Map<number, number[]>>()
  for (const [sample, label] of labels.entries()) {
    const group = groups?.[sample] ?? sample
    let classGroups = groupsOfClass.get(label)
    if (classGroups === undefined) groupsOfClass.set(label, (classGroups = new Map()))
    const members = classGroups.get(group)
    if (members === undefined) classGroups.set(group, [sample])
    else members.push(sample)
  }
  const random = linearCongruential(20_261_121)
  // The turn continues from class to class, so that the folds have about the same size.
  let turn = 0
  for (const classGroups of groupsOfClass.values()) {
    if (classGroups.size < 2) continue
    for (const members of shuffled([...classGroups.values()], random)) {
      for (const sample of members) folds[sample] = turn
      turn = (turn + 1) % foldCount
    }
  }
  return folds
}

/** Splits samples into those that a fold holds out and the others. */
export function splitByFold(folds: Int32Array, fold: number): { heldOut: Int32Array; trained: Int32Array } {
  const samples = [...folds.keys()]
  return {
    heldOut: Int32Array.from(samples.filter((sample) => folds[sample] === fold)),
    trained: Int32Array.from(samples.filter((sample) => folds[sample] !== fold))
  }
}

/** Source: Numerical Recipes, 3rd edition, section 7.1, "quick and dirty" generator; gives numbers from 0 up to 1. */
function linearCongruential(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Fisher-Yates. */
function shuffled<T>(items: T[], random: () => number): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const swapped = items[i]!
    items[i] = items[j]!
    items[j] = swapped
  }
  return items
}
