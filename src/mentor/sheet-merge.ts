/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { repertoireOf, type ListedQuestion, type Mentor, type MentorAnswer } from './mentor.ts'
import { isAnswerless, isListOf, isSameList, mergeAnswer, type IdKind } from './sheet-row.ts'
import { NO_ANSWER, cellText, type LineProblem, type TrainingRow, type TrainingSheet } from './training-data.ts'

/** Result of {@link mergeSheet}. */
export interface MergedSheet {
  readonly mentor: Mentor
  /** Lines that differ from the mentor but changed nothing. */
  readonly problems: readonly LineProblem[]
}

/** The part of a {@link TrainingSheet} that is merged. */
export type MergeableSheet = Pick<TrainingSheet, 'rows' | 'lines' | 'refused'>

const NEW_MENTOR: Mentor = { mentorType: 'CHAT', questions: [], answers: [], orphanedCompleteAnswers: [] }

/**
 * Merges training data into a mentor. Only differences change it: an unchanged sheet gives the same mentor. Answers
 * that are missing from the sheet are removed, except those that do not count, which no sheet contains; new answers are
 * inserted after the answer of the row before. An invalid line leaves its answer unchanged.
 *
 * The id of a row is that of an answer or of a question. A question's id stands for its answer with the same text, else
 * for its first answer that counts; its other answers stay. Where ids could be either, the reading that changes less is
 * used.
 * @param before the stored mentor; undefined creates a CHAT mentor
 */
export function mergeSheet(before: Mentor | undefined, sheet: MergeableSheet): MergedSheet {
  const mentor = before ?? NEW_MENTOR
  const byAnswer = new SheetReading(mentor, sheet, ['answer', 'question'])
  const byQuestion = new SheetReading(mentor, sheet, ['question', 'answer'])
  const reading = byQuestion.changeCount < byAnswer.changeCount ? byQuestion : byAnswer
  return { mentor: reading.mentor(), problems: reading.problems.toSorted((a, b) => a.line - b.line) }
}

/** Merges rows that are all valid, as {@link mergeSheet}. */
export function withTrainingData(mentor: Mentor | undefined, rows: readonly TrainingRow[]): Mentor {
  return mergeSheet(mentor, { rows, lines: rows.map((_, index) => index + 2), refused: [] }).mentor
}

interface Found {
  readonly kind: IdKind
  /** Answers that count come first. */
  readonly answers: readonly MentorAnswer[]
}

/** One reading of a sheet: the answers that its rows stand for, and the changes that they make. */
class SheetReading {
  readonly problems: LineProblem[] = []
  readonly #before: Mentor
  readonly #order: readonly IdKind[]
  readonly #byId: Readonly<Record<IdKind, ReadonlyMap<string, readonly MentorAnswer[]>>>
  readonly #counted: ReadonlySet<MentorAnswer>
  readonly #orphaned: ReadonlySet<MentorAnswer>
  readonly #listed: ReadonlyMap<string, readonly ListedQuestion[]>
  /** Line of the row that stands for an answer. */
  readonly #lineOf = new Map<MentorAnswer, number>()
  /** Other answers that stay. */
  readonly #kept = new Set<MentorAnswer>()
  readonly #changed = new Map<MentorAnswer, MentorAnswer>()
  readonly #changedTopics = new Map<string, readonly string[]>()
  /** New answers by the answer that they follow. */
  readonly #added = new Map<MentorAnswer | undefined, MentorAnswer[]>()
  readonly #newlyListed = new Map<string, readonly string[]>()

  /** @param order the kinds of ids, in the order in which a row's id is looked up */
  constructor(before: Mentor, { rows, lines, refused }: MergeableSheet, order: readonly IdKind[]) {
    const { answers, utterances } = repertoireOf(before)
    this.#before = before
    this.#order = order
    this.#counted = new Set([...answers, ...[...utterances.values()].flat()])
    this.#orphaned = new Set(before.orphanedCompleteAnswers)
    const all = [...(before.answers ?? []), ...(before.orphanedCompleteAnswers ?? [])]
    const countedFirst = [
      ...all.filter((answer) => this.#counted.has(answer)),
      ...all.filter((answer) => !this.#counted.has(answer))
    ]
    this.#byId = {
      answer: Map.groupBy(countedFirst, ({ _id }) => cellText(_id)),
      question: Map.groupBy(countedFirst, ({ question }) => cellText(question._id))
    }
    this.#listed = Map.groupBy(before.questions ?? [], ({ question }) => question._id)
    let previous: MentorAnswer | undefined
    for (const [index, row] of rows.entries()) {
      const answer = this.#take(row, lines[index]!, previous)
      if (answer !== undefined && !this.#orphaned.has(answer)) previous = answer
    }
    for (const line of refused) this.#keep(line)
  }

  /** Number of changes of answers and topics, and of problems. */
  get changeCount(): number {
    const addedCount = [...this.#added.values()].reduce((sum, added) => sum + added.length, 0)
    const topicCount = this.#changedTopics.size + this.#newlyListed.size
    return this.#changed.size + topicCount + addedCount + this.#removed().size + this.problems.length
  }

  mentor(): Mentor {
    const removed = this.#removed()
    const removedIds = new Set([...removed].map(({ _id }) => _id))
    const isGone = (answer: MentorAnswer) =>
      removed.has(answer) || (removedIds.has(answer._id) && !this.#isHeld(answer))
    const mergedOf = (answers: Mentor['answers']) =>
      (answers ?? []).flatMap((answer) => [
        ...(isGone(answer) ? [] : [this.#changed.get(answer) ?? answer]),
        ...(this.#added.get(answer) ?? [])
      ])
    const answers = [...(this.#added.get(undefined) ?? []), ...mergedOf(this.#before.answers)]
    const orphanedCompleteAnswers = mergedOf(this.#before.orphanedCompleteAnswers)
    const remaining = new Set([...answers, ...orphanedCompleteAnswers].map(({ question }) => question._id))
    const unanswered = new Set([...removed].map(({ question }) => question._id).filter((id) => !remaining.has(id)))
    const questions = [
      ...(this.#before.questions ?? [])
        .filter(({ question }) => !unanswered.has(question._id))
        .map((entry) => withTopics(entry, this.#changedTopics.get(entry.question._id))),
      ...[...this.#newlyListed].map(([_id, topics]) => withTopics({ question: { _id } }, topics))
    ]
    return {
      ...this.#before,
      ...(!isSameList(this.#before.questions ?? [], questions) && { questions }),
      ...(!isSameList(this.#before.answers ?? [], answers) && { answers }),
      ...(!isSameList(this.#before.orphanedCompleteAnswers ?? [], orphanedCompleteAnswers) && {
        orphanedCompleteAnswers
      })
    }
  }

  #find(id: string): Found | undefined {
    for (const kind of this.#order) {
      const answers = this.#byId[kind].get(id)
      if (answers !== undefined) return { kind, answers }
    }
    return undefined
  }

  /**
   * Applies a row.
   * @param previous the answer that a new answer follows
   * @returns the stored answer that the row stands for
   */
  #take(row: TrainingRow, line: number, previous: MentorAnswer | undefined): MentorAnswer | undefined {
    const found = this.#find(row.id)
    if (found === undefined) {
      this.#add(row, previous)
      return undefined
    }
    const free = found.answers.filter((answer) => !this.#lineOf.has(answer))
    const answer =
      free.find((one) => this.#isUnchanged(one, row, found.kind)) ??
      free.find((one) => row.answer === '' && isAnswerless(one)) ??
      free[0]
    if (answer === undefined) {
      this.problems.push({ line, message: `the same answer as line ${this.#lineOf.get(found.answers[0]!)}` })
      return undefined
    }
    this.#lineOf.set(answer, line)
    const merged = mergeAnswer(answer, row, found.kind)
    this.#change(answer, merged)
    this.#takeTopics(answer, merged, row, found.kind)
    for (const other of free) {
      if (other === answer) continue
      this.#kept.add(other)
      // The other answers have the same question.
      if (found.kind === 'question' && merged.question !== answer.question) {
        this.#change(other, { ...other, question: { ...merged.question, _id: other.question._id } })
      }
    }
    return answer
  }

  #keep({ row, line, message }: MergeableSheet['refused'][number]): void {
    const found = this.#find(row.id)
    const answerless = found?.answers.some((one) => isAnswerless(one) && !this.#lineOf.has(one)) === true
    if (message === NO_ANSWER && answerless) {
      this.#take(row, line, undefined)
      return
    }
    for (const answer of found?.answers ?? []) this.#kept.add(answer)
    if (found?.answers.some((answer) => this.#isUnchanged(answer, row, found.kind)) !== true) {
      this.problems.push({ line, message })
    }
  }

  #change(answer: MentorAnswer, merged: MentorAnswer): void {
    if (merged !== answer) this.#changed.set(answer, merged)
  }

  #add(row: TrainingRow, previous: MentorAnswer | undefined): void {
    const answer = mergeAnswer(undefined, row, 'answer')
    const { _id, type } = answer.question
    const added = this.#added.get(previous)
    if (added === undefined) this.#added.set(previous, [answer])
    else added.push(answer)
    if (type !== 'UTTERANCE' && !this.#listed.has(_id)) this.#newlyListed.set(_id, row.topics)
  }

  #takeTopics(answer: MentorAnswer, { question }: MentorAnswer, row: TrainingRow, kind: IdKind): void {
    const isNewQuestion = question.type !== answer.question.type
    if (this.#listed.has(question._id)) {
      if (!this.#hasTopics(question._id, row, kind)) this.#changedTopics.set(question._id, row.topics)
    } else if (question.type !== 'UTTERANCE' && (isNewQuestion || row.topics.length > 0)) {
      this.#newlyListed.set(question._id, row.topics)
    }
  }

  #isUnchanged(answer: MentorAnswer, row: TrainingRow, kind: IdKind): boolean {
    return mergeAnswer(answer, row, kind) === answer && this.#hasTopics(answer.question._id, row, kind)
  }

  /** Whether a row has the stored topics of its question. */
  #hasTopics(questionId: string, { topics }: TrainingRow, kind: IdKind): boolean {
    const entries = (this.#listed.get(questionId) ?? []).map((entry) => (entry.topics ?? []).map(({ name }) => name))
    // Sheets of the replaced service have the topics of all entries, ours those of the last.
    return isListOf(entries.at(-1) ?? [], topics, kind) || isListOf(entries.flat(), topics, kind)
  }

  #removed(): ReadonlySet<MentorAnswer> {
    return new Set([...this.#counted].filter((answer) => !this.#isHeld(answer)))
  }

  #isHeld(answer: MentorAnswer): boolean {
    return this.#lineOf.has(answer) || this.#kept.has(answer)
  }
}

function withTopics(entry: ListedQuestion, topics: readonly string[] | undefined): ListedQuestion {
  return topics === undefined ? entry : { ...entry, topics: topics.map((name) => ({ name })) }
}
