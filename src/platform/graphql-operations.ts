/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Type, type Static, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { GradedQuestion } from '../mentor/match-index.ts'
import { ListedQuestion, Mentor, MentorAnswer } from '../mentor/mentor.ts'
import type { CategoryAnswer } from '../mentor/mentor-source.ts'
import type { GraphQlOperation } from './graphql-client.ts'

// The documents name fields only, no types: a fragment would need the name that each service gives its types.
const ANSWER = `
  _id
  status
  transcript
  markdownTranscript
  question { _id question type name paraphrases }
  webMedia { type tag url transparentVideoUrl }
  mobileMedia { type tag url transparentVideoUrl }
  vttMedia { type tag url }
  externalVideoIds { wistiaId }
`

/** Maximum number of graded questions on one page. */
export const GRADED_PAGE_LENGTH = 9999

/** A list that may be null or hold items of another shape, which are left out. */
const Loose = Type.Optional(Type.Union([Type.Array(Type.Unknown()), Type.Null()]))
const MentorData = Type.Object({
  mentor: Type.Union([
    Type.Null(),
    Type.Object({ ...Mentor.properties, questions: Loose, answers: Loose, orphanedCompleteAnswers: Loose })
  ])
})
const mentorData = Compile(MentorData)
const listedQuestion = Compile(ListedQuestion)
const mentorAnswer = Compile(MentorAnswer)

/** A mentor as read from a service. */
export interface ReadMentor {
  /** Undefined when there is no such mentor. */
  readonly mentor: Mentor | undefined
  /** Number of answers that were left out as invalid: never recorded, so that the id is null, or to a question that is gone. */
  readonly leftOutCount: number
  /** Number of listed questions that were left out, since they are gone. */
  readonly leftOutQuestionCount: number
}

/** Reads a mentor. Variables: `id`. */
export const MENTOR: GraphQlOperation<ReadMentor> = {
  action: 'read the mentor',
  kind: 'query',
  document: `query Mentor($id: ID!) {
    mentor(id: $id) {
      name
      mentorType
      subjects { name }
      topics { name }
      questions { question { _id } topics { name } }
      answers { ${ANSWER} }
      orphanedCompleteAnswers { ${ANSWER} }
    }
  }`,
  read(data) {
    if (!mentorData.Check(data)) return undefined
    if (data.mentor === null) return { mentor: undefined, leftOutCount: 0, leftOutQuestionCount: 0 }
    const { questions, answers, orphanedCompleteAnswers } = data.mentor
    const mentor = {
      ...data.mentor,
      questions: (questions ?? []).filter(isListedQuestion),
      answers: (answers ?? []).filter(isMentorAnswer),
      orphanedCompleteAnswers: (orphanedCompleteAnswers ?? []).filter(isMentorAnswer)
    }
    return {
      mentor,
      leftOutCount: leftOut(answers, mentor.answers) + leftOut(orphanedCompleteAnswers, mentor.orphanedCompleteAnswers),
      leftOutQuestionCount: leftOut(questions, mentor.questions)
    }
  }
}

/** Asks whether the caller may edit, and therefore train, a mentor. Variables: `mentor`. */
export const MENTOR_CAN_EDIT = operation(
  'ask who may edit the mentor',
  'query',
  'query MentorCanEdit($mentor: ID!) { mentorCanEdit(mentor: $mentor) }',
  Type.Object({ mentorCanEdit: Type.Boolean() }),
  (data) => data.mentorCanEdit
)

const Edge = Type.Object({
  cursor: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  node: Type.Optional(Type.Unknown())
})
const UserQuestionsData = Type.Object({
  userQuestions: Type.Object({
    edges: Type.Array(Type.Union([Edge, Type.Null()])),
    pageInfo: Type.Optional(
      Type.Object({
        hasNextPage: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
        endCursor: Type.Optional(Type.Union([Type.String(), Type.Null()]))
      })
    )
  })
})
const gradedNode = Compile(Type.Object({ question: Type.String(), graderAnswer: MentorAnswer }))

/** A page of graded questions. */
export interface GradedPage {
  readonly questions: readonly GradedQuestion[]
  /** Length of the page, including what was left out. */
  readonly length: number
  /** Cursor of the next page; undefined after the last, or when the service does not say. */
  readonly next: string | undefined
}

/** Reads the first page of graded questions. Variables: `filter`. */
export const GRADED_QUESTIONS = operation(
  'read the graded questions',
  'query',
  `query GradedQuestions($filter: Object!) {
    userQuestions(filter: $filter, limit: ${GRADED_PAGE_LENGTH}) { edges { node { question graderAnswer { ${ANSWER} } } } }
  }`,
  UserQuestionsData,
  gradedPage
)

/**
 * Reads any page of graded questions, from services with cursors. Variables: `filter`, and `cursor` from the second page on.
 * It is used only when the first page is full, so a service with few questions need not support cursors.
 */
export const GRADED_QUESTIONS_PAGE = operation(
  'read a page of the graded questions',
  'query',
  `query GradedQuestionsPage($filter: Object!, $cursor: String) {
    userQuestions(filter: $filter, limit: ${GRADED_PAGE_LENGTH}, cursor: $cursor) {
      edges { node { question graderAnswer { ${ANSWER} } } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  UserQuestionsData,
  gradedPage
)

/** Asks whether a user question exists. Variables: `filter`. */
export const USER_QUESTION_EXISTS = operation(
  'look for the asked question',
  'query',
  'query UserQuestionExists($filter: Object!) { userQuestions(filter: $filter, limit: 1) { edges { node { question } } } }',
  UserQuestionsData,
  (data) => data.userQuestions.edges.length > 0
)

/** Records an asked question; gives its id. Variables: `userQuestion`. */
export const USER_QUESTION_CREATE = operation(
  'record the asked question',
  'mutation',
  `mutation UserQuestionCreate($userQuestion: UserQuestionCreateInput!) {
    userQuestionCreate(userQuestion: $userQuestion) { _id }
  }`,
  Type.Object({ userQuestionCreate: Type.Object({ _id: Type.String({ minLength: 1 }) }) }),
  (data) => data.userQuestionCreate._id
)

/** Reports that a mentor was trained. Variables: `id`. */
export const UPDATE_MENTOR_TRAINING = operation(
  'say that the mentor is trained',
  'mutation',
  'mutation UpdateMentorTraining($id: ID!) { updateMentorTraining(id: $id) { _id } }',
  Type.Object({ updateMentorTraining: Type.Unknown() }),
  () => true
)

const TrainTask = Type.Object({ _id: Type.String({ pattern: '^[^/?#\\s]{1,200}$' }) })

/** Reports the status of a training; returns its id, or null when the caller is not a user of the service. Variables: `taskDocId`, `mentorId`, `status`. */
export const TRAIN_TASK = operation(
  'say how the training stands',
  'mutation',
  `mutation MentorTrainTask($taskDocId: ID!, $mentorId: ID!, $status: String!) {
    me { mentorTrainTaskAddOrUpdate(taskDocId: $taskDocId, mentorId: $mentorId, status: $status) { _id mentor status } }
  }`,
  Type.Object({ me: Type.Union([Type.Null(), Type.Object({ mentorTrainTaskAddOrUpdate: TrainTask })]) }),
  (data) => data.me && data.me.mentorTrainTaskAddOrUpdate._id
)

const CategoryAnswersData = Type.Object({
  categoryAnswers: Type.Union([Type.Array(Type.Unknown()), Type.Null()])
})
const categoryAnswer = Compile(Type.Object({ answerText: Type.String(), questionText: Type.String() }))

/** Reads the answers of a category; null when there is no such mentor. Variables: `category`, `mentor`. */
export const CATEGORY_ANSWERS: GraphQlOperation<readonly CategoryAnswer[] | null> = operation(
  'read the answers of the category',
  'query',
  `query CategoryAnswers($category: String!, $mentor: ID!) {
    categoryAnswers(category: $category, mentor: $mentor) { answerText questionText }
  }`,
  CategoryAnswersData,
  ({ categoryAnswers }) =>
    categoryAnswers &&
    categoryAnswers.filter(isCategoryAnswer).map(({ questionText, answerText }) => ({ questionText, answerText }))
)

function operation<Schema extends TSchema, Result>(
  action: string,
  kind: 'query' | 'mutation',
  document: string,
  schema: Schema,
  result: (data: Static<Schema>) => Result
): GraphQlOperation<Result> {
  const validator = Compile(schema)
  return { action, kind, document, read: (data) => (validator.Check(data) ? result(data) : undefined) }
}

function gradedPage({ userQuestions: { edges, pageInfo } }: Static<typeof UserQuestionsData>): GradedPage {
  const questions = edges.flatMap((edge) => {
    const node: unknown = edge?.node
    return gradedNode.Check(node) ? [{ question: node.question, answer: node.graderAnswer }] : []
  })
  const next = pageInfo?.hasNextPage === true ? (pageInfo.endCursor ?? undefined) : undefined
  return { questions, length: edges.length, next }
}

function leftOut(before: readonly unknown[] | null | undefined, after: readonly unknown[]): number {
  return (before?.length ?? 0) - after.length
}

function isListedQuestion(value: unknown): value is ListedQuestion {
  return listedQuestion.Check(value)
}

function isMentorAnswer(value: unknown): value is MentorAnswer {
  return mentorAnswer.Check(value)
}

function isCategoryAnswer(value: unknown): value is CategoryAnswer {
  return categoryAnswer.Check(value)
}
