/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Mentor } from '../../src/mentor/mentor.ts'
import { FAULTS, GraphQlStandIn, type Fault as GraphQlFault } from '../graphql-stand-in/stand-in.ts'
import { seconds, type Fault, type Finding } from './fault.ts'
import { HealthWatch } from './health-watch.ts'
import { posted, type Lab, type Running } from './lab.ts'

const QUESTION = '/questions?mentor=noor&query=Where%20were%20you%20born%3F'
const NOOR: Mentor = {
  name: 'Noor',
  mentorType: 'CHAT',
  subjects: [],
  topics: [],
  questions: ['a', 'b', 'c'].map((id) => ({ question: { _id: `q${id}` }, topics: [] })),
  answers: ['a', 'b', 'c'].map((id, index) => ({
    _id: id,
    status: 'COMPLETE',
    transcript: `Answer ${id}`,
    question: {
      _id: `q${id}`,
      type: 'QUESTION',
      name: '',
      question: ['Where were you born?', 'What do you eat?', 'How old are you?'][index] ?? '',
      paraphrases: []
    }
  }))
}

function graphQlFault(fault: GraphQlFault): Fault {
  return {
    name: `the GraphQL service ${FAULTS[fault]}`,
    isQuick: fault === 'half',
    run: async (lab) => away(lab, fault)
  }
}

/** Makes every reply of the GraphQL service fail while a mentor is trained and asked, then lets it work again. */
async function away(lab: Lab, fault: GraphQlFault): Promise<Finding> {
  const standIn = new GraphQlStandIn({ mentors: { noor: NOOR } })
  await standIn.listen()
  lab.after(async () => standIn.close())
  const env = { MENTOR_SOURCE: 'graphql', GRAPHQL_ENDPOINT: standIn.endpoint, GRAPHQL_TIMEOUT_SECONDS: '1' }
  const running = await lab.start({ env })
  assert.equal(await train(running), 'SUCCESS')
  assert.equal((await running.ask(QUESTION)).status, 200)
  await recorded(standIn, 1)
  standIn.fail({ fault })
  const watch = await HealthWatch.start(running.origin)
  const answers = await Promise.all(Array.from({ length: 5 }, () => running.ask(QUESTION)))
  for (const { status, text } of answers) assert.equal(status, 200, text)
  const unknown = await running.ask('/trainingdata/stranger')
  assert.ok([502, 503, 504].includes(unknown.status), unknown.text)
  await sleep(1000)
  const health = await watch.stop()
  assert.equal(health.failedCount, 0)
  standIn.fail()
  const beganMs = performance.now()
  // Questions that were asked meanwhile are recorded later.
  await recorded(standIn, 6)
  const tookMs = performance.now() - beganMs
  return {
    seen: `questions of known mentors 200, what has to be asked there ${unknown.status}; health within ${Math.round(health.worstMs)} ms`,
    lost: 'nothing: the questions asked meanwhile were recorded later',
    recovery: `${seconds(tookMs)} after it works again`
  }
}

async function train({ ask }: Running): Promise<string> {
  const accepted = await ask('/train', posted({ mentor: 'noor', arch: 'ridge' }))
  assert.equal(accepted.status, 200, accepted.text)
  const { data }: { data: { statusUrl: string } } = JSON.parse(accepted.text)
  for (let tries = 0; ; tries += 1) {
    const { text } = await ask(data.statusUrl)
    const status = /"status":"(SUCCESS|FAILURE)"/.exec(text)?.[1]
    if (status !== undefined) return status
    assert.ok(tries < 300, text)
    await sleep(100)
  }
}

async function recorded(standIn: GraphQlStandIn, count: number): Promise<void> {
  for (let tries = 0; standIn.userQuestions.length < count; tries += 1) {
    assert.ok(tries < 900, `${standIn.userQuestions.length} of ${count} questions were recorded`)
    await sleep(100)
  }
}

/** Each way in which a reply can go wrong. */
export const GRAPHQL_FAULTS: readonly Fault[] = Object.keys(FAULTS).map((fault) =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of FAULTS
  graphQlFault(fault as GraphQlFault)
)
