/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { OffTopicBound } from '../learning/off-topic-bound.ts'
import { ServiceError } from '../errors.ts'
import { OFF_TOPIC_UTTERANCE, repertoireOf } from '../mentor/mentor.ts'
import type { CallerHeaders, MentorSource } from '../mentor/mentor-source.ts'
import { trainingSamples } from './mentor-samples.ts'
import type { Architecture } from '../learning/classifier-model.ts'
import { mentorModelName } from '../versions/model-name.ts'
import { MENTOR_SIGNATURE } from '../table/signature.ts'
import type { TrainOptions, TrainOutcome, VersionRequest, VersionTrainer } from '../versions/version-trainer.ts'

/** Type of the jobs that train a mentor. */
export const TRAIN_JOB_TYPE = 'train'

/** A request to train a mentor. */
export interface TrainRequest extends Pick<VersionRequest, 'isForced' | 'jobId' | 'by'> {
  readonly mentorId: string
  readonly architecture: Architecture
  /** The bound of the off-topic rule; undefined: the live version's, null: none. */
  readonly offTopicBound?: OffTopicBound | null | undefined
  /** @default no caller */
  readonly caller?: CallerHeaders
}

/**
 * Trains a mentor on its current answers, stores the version and makes it live unless it is worse than the live one.
 * @throws {ServiceError} NOT_FOUND when there is no such mentor, or it was deleted meanwhile; INVALID_REQUEST when there is nothing to train on
 */
export async function trainMentor(
  trainer: VersionTrainer,
  mentors: MentorSource,
  { mentorId, architecture, offTopicBound, caller = {}, ...request }: TrainRequest,
  options: TrainOptions = {}
): Promise<TrainOutcome> {
  const read = async () => {
    const found = await mentors.find(mentorId, { caller, freshness: 'required' })
    if (found === undefined) throw new ServiceError('NOT_FOUND', 'Cannot train: the mentor no longer exists')
    const { answers, utterances } = repertoireOf(found.mentor)
    // The question of the utterance is only its label; the paraphrases are questions that people asked.
    const offTopic = (utterances.get(OFF_TOPIC_UTTERANCE) ?? []).flatMap(({ question }) => question.paraphrases ?? [])
    const samples = trainingSamples(answers, [...offTopic, ...(found.rejectedQuestions ?? [])], architecture)
    if (samples.texts.length === 0) {
      throw new ServiceError('INVALID_REQUEST', 'Cannot train: no answer that counts has a question to train on')
    }
    return {
      architecture,
      offTopicBound,
      signature: MENTOR_SIGNATURE,
      dataHash: found.revision,
      samples,
      texts: [samples.texts]
    }
  }
  const stillExists = async () => (await mentors.revisionOf(mentorId, { caller })) !== undefined
  return trainer.train({ ...request, name: mentorModelName(mentorId), read, stillExists }, options)
}
