/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { route } from '../shell/route.ts'
import { MentorList } from './mentor-list.tsx'
import { MentorStudio } from './mentor-studio.tsx'

/** All mentors, or the studio of one. */
export function MentorsScreen() {
  const [, id, tab] = route.value
  return id === undefined || id === '' ? <MentorList /> : <MentorStudio key={id} id={id} tab={tab} />
}
