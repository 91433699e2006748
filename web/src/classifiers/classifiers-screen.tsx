/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { route } from '../shell/route.ts'
import { ClassifierList } from './classifier-list.tsx'
import { ClassifierStudio } from './classifier-studio.tsx'

/** All classifiers, or the studio of one. */
export function ClassifiersScreen() {
  const [, name, tab] = route.value
  return name === undefined || name === '' ? <ClassifierList /> : <ClassifierStudio key={name} name={name} tab={tab} />
}
