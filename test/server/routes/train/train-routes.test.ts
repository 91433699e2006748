/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { WordsEncoder, bearer, openMentorApp } from '../../mentor-app.ts'

const CSV = readFileSync(new URL('../../../../examples/mentor.csv', import.meta.url), 'utf8')

/** A few of its answers: enough where it does not matter how good the model is. */
const FEW = CSV.split('\r\n')
  .filter((line, index) => index < 9 || line.startsWith('say-'))
  .join('\r\n')

interface Answer {
  readonly answer_id: string
  readonly answer_type: string
  readonly confidence: number
  readonly classifier: string
  readonly feedback_id: string
  readonly answer_missing: boolean
  readonly alternatives?: readonly { readonly answer_id: string }[]
}
interface Versions {
  readonly data: {
    readonly live: number | null
    readonly versions: readonly { readonly version: number; readonly isLive: boolean }[]
    readonly history: readonly { readonly version: number; readonly kind: string }[]
  }
}

test('a mentor is trained, asked, evaluated, trained again and rolled back', async (t) => {
  const { ask, put, train, question, encoder } = await openMentorApp(t)
  await put('noor', CSV)
  const none = await question('noor', 'Where is your home?')
  assert.equal(none.statusCode, 404)
  assert.match(none.body, /No models found for mentor noor\./)

  const first = await train({ mentor: 'noor' })
  assert.deepEqual([first.status, first.progress, first.result.version], ['SUCCESS', 1, 1])
  const { sampleCount } = first.result
  assert.equal(encoder.encoded.length, new Set(encoder.encoded).size)

  const exact: Answer = (await question('noor', ' what is your NAME ')).json()
  assert.deepEqual([exact.answer_id, exact.answer_type, exact.confidence], ['intro-name', 'EXACT', 1])
  const paraphrase: Answer = (await question('noor', 'who are you')).json()
  assert.deepEqual([paraphrase.answer_id, paraphrase.answer_type], ['intro-name', 'PARAPHRASE'])
  const asked = await question('noor', 'your name, what is it, can you tell me', { top_k: '3' })
  const classified: Answer = asked.json()
  assert.deepEqual([classified.answer_id, classified.answer_type], ['intro-name', 'CLASSIFIER'])
  assert.ok(classified.confidence > 0.1 && classified.confidence < 1)
  assert.equal(classified.classifier, 'softmax/1')
  assert.equal(classified.alternatives?.length, 3)
  assert.match(String(asked.headers['server-timing']), /inference;dur=1\.500/)
  const off: Answer = (await question('noor', 'xylophone quantum brie')).json()
  assert.deepEqual([off.answer_type, off.answer_missing], ['OFF_TOPIC', false])
  assert.match(off.answer_id, /^say-off-topic-/)

  const report: { data: { evaluation: { accuracy: number; classes: object[]; errors: object[] } } } = (
    await ask({ url: '/mentors/noor/versions/live/evaluation' })
  ).json()
  assert.ok(report.data.evaluation.accuracy > 0.1)
  assert.ok(report.data.evaluation.errors.length > 0 && report.data.evaluation.classes.length > 80)

  encoder.encoded.length = 0
  const changed = CSV.replace('Who are you?|', 'Who might you be?|')
  await put('noor', changed)
  const second = await train({ mentor: 'noor' })
  assert.deepEqual(encoder.encoded, ['who might you be'])
  assert.equal(second.result.encodedCount, 1)
  assert.equal(second.result.sampleCount, sampleCount)
  const now: Answer = (await question('noor', 'what is it that you do for a job')).json()
  assert.equal(now.classifier, 'softmax/2')

  const back = await ask({ method: 'POST', url: '/mentors/noor/rollback' })
  assert.deepEqual(back.json(), { data: { mentor: 'noor', live: 1 } })
  const after: Answer = (await question('noor', 'what is it that you do for a job')).json()
  assert.equal(after.classifier, 'softmax/1')
  const versions: Versions = (await ask({ url: '/mentors/noor/versions' })).json()
  assert.equal(versions.data.live, 1)
  assert.deepEqual(
    versions.data.versions.map(({ version, isLive }) => [version, isLive]),
    [
      [2, false],
      [1, true]
    ]
  )
  assert.deepEqual(
    versions.data.history.map(({ version, kind }) => [version, kind]),
    [
      [1, 'ROLLED_BACK'],
      [2, 'PROMOTED'],
      [1, 'PROMOTED']
    ]
  )
  assert.equal((await ask({ method: 'POST', url: '/mentors/noor/rollback' })).statusCode, 409)
  const promoted = await ask({ method: 'POST', url: '/mentors/noor/versions/2/promote', payload: { force: true } })
  assert.deepEqual(promoted.json(), { data: { mentor: 'noor', live: 2 } })
  assert.equal((await ask({ method: 'POST', url: '/mentors/noor/versions/9/promote' })).statusCode, 404)
  assert.equal((await ask({ url: '/mentors/noor/versions/9/evaluation' })).statusCode, 404)
})

test('an explanation names the phrases that a question is near to', async (t) => {
  const { ask, put, train } = await openMentorApp(t)
  await put('noor', CSV)
  await train({ mentor: 'noor' })
  const url = '/questions?mentor=noor&query=your+name,+what+is+it,+can+you+tell+me'
  const plain: Answer = (await ask({ url })).json()
  assert.equal('explanation' in plain, false)
  const told: { explanation: { nearest_phrases: { phrase: string; answer_id: string | null }[] } } = (
    await ask({ url: `${url}&explain=true` })
  ).json()
  const { nearest_phrases: nearest } = told.explanation
  assert.equal(nearest.length, 5)
  assert.equal(nearest[0]!.answer_id, 'intro-name')
  assert.ok(CSV.toLowerCase().includes(nearest[0]!.phrase), nearest[0]!.phrase)
})

test('a mentor keeps to the bound that it was given, until it is given another', async (t) => {
  interface Report {
    data: {
      offTopicBound: object | null
      evaluation: {
        threshold: number
        priorShare: number
        refused: number
        offTopicRefused: number
        foreseen: { accuracy: object }
      }
    }
  }
  const { ask, put, train } = await openMentorApp(t)
  await put('noor', CSV)
  const trained = async (more: object): Promise<Report['data']> => {
    const { result } = await train({ mentor: 'noor', force: true, ...more })
    return (await ask({ url: `/mentors/noor/versions/${result.version}/evaluation` })).json<Report>().data
  }
  const usual = await trained({})
  assert.equal(usual.offTopicBound, null)
  assert.ok('low' in usual.evaluation.foreseen.accuracy)
  assert.ok(usual.evaluation.priorShare > 0 && usual.evaluation.priorShare < 0.5)
  const strict = await trained({ offTopic: { refuseNonsense: 0.99 } })
  assert.ok(strict.evaluation.threshold > usual.evaluation.threshold)
  assert.ok(strict.evaluation.offTopicRefused > usual.evaluation.offTopicRefused)
  const kept = await trained({})
  assert.deepEqual(kept.offTopicBound, { refuseNonsense: 0.99 })
  assert.equal(kept.evaluation.threshold, strict.evaluation.threshold)
  const generous = await trained({ offTopic: { answerGood: 0.99 } })
  assert.ok(generous.evaluation.refused < usual.evaluation.refused || usual.evaluation.refused === 0)
  assert.ok(generous.evaluation.threshold < usual.evaluation.threshold)
  const again = await trained({ offTopic: null })
  assert.deepEqual([again.offTopicBound, again.evaluation.threshold], [null, usual.evaluation.threshold])

  for (const payload of [
    { offTopic: { answerGood: 95 } },
    { offTopic: { answerGood: 0.9, refuseNonsense: 0.9 } },
    { offTopic: {} },
    { arch: 'ridge', offTopic: { answerGood: 0.9 } }
  ]) {
    const refused = await ask({ method: 'POST', url: '/train', payload: { mentor: 'noor', ...payload } })
    assert.equal(refused.statusCode, 400, refused.body)
    assert.match(refused.body, /offTopic/)
  }
})

test('what the classifier answers is counted for Prometheus, word-for-word matches are not', async (t) => {
  const { metrics, put, train, question } = await openMentorApp(t)
  await put('noor', CSV)
  await train({ mentor: 'noor' })
  await question('noor', 'who are you')
  for (let count = 0; count < 201; count += 1) await question('noor', 'your name, what is it, can you tell me')
  const text = await metrics.text()
  assert.match(text, /sbert_model_predictions_total\{model="mentor\/noor",version="1",class="intro-name"\} 201/)
  assert.match(text, /sbert_model_input_characters_sum\{model="mentor\/noor",version="1"\} 7638/)
  const [, drift] = /sbert_model_confidence_drift\{model="mentor\/noor",version="1"\} (\S+)/.exec(text) ?? []
  assert.ok(Number(drift) > 0.25, drift)
})

test('a version that is worse does not answer, unless someone insists', async (t) => {
  const { ask, put, train } = await openMentorApp(t)
  const rows = Array.from({ length: 12 }, (_, i) => `a${i},topic${i} one,topic${i} two|topic${i} three,Answer ${i}.,`)
  const header = 'id,question,paraphrases,answer,topic'
  await put('x', [header, ...rows].join('\n'))
  await train({ mentor: 'x' })
  // The same samples, and a second answer for each that is indistinguishable from the first.
  const twins = rows.map((row) => row.replace(/^a/, 'b').replaceAll(/(one|two|three)/g, '$1 x'))
  await put(
    'x',
    [header, ...rows, ...twins, ...twins.map((row) => row.replace(/^b/, 'c').replaceAll(' x', ' y'))].join('\n')
  )
  const worse = await train({ mentor: 'x' })
  assert.equal(worse.result.promotion.outcome, 'refused')
  assert.match(worse.result.promotion.reason ?? '', /of 36 samples that both were judged on/)
  const versions: Versions = (await ask({ url: '/mentors/x/versions' })).json()
  assert.equal(versions.data.live, 1)
  const refused = await ask({ method: 'POST', url: '/mentors/x/versions/2/promote' })
  assert.equal(refused.statusCode, 409, refused.body)
  const forced = await train({ mentor: 'x', force: true })
  assert.deepEqual([forced.result.version, forced.result.promotion.outcome], [3, 'promoted'])
})

test('ridge is trained when asked for, and takes the place of softmax', async (t) => {
  const { put, train, question } = await openMentorApp(t)
  await put('noor', FEW)
  await train({ mentor: 'noor' })
  const { result } = await train({ mentor: 'noor', arch: 'ridge' })
  assert.equal(result.promotion.outcome, 'promoted')
  const answer: Answer = (await question('noor', 'your name, what is it, can you tell me')).json()
  assert.deepEqual([answer.answer_id, answer.classifier], ['intro-name', 'ridge/2'])
})

test('an answer that is gone since the training is missing, and another process sees what this one trained', async (t) => {
  const one = await openMentorApp(t)
  const other = await openMentorApp(t, {}, one.dataDir)
  await one.put('noor', FEW)
  await one.train({ mentor: 'noor' })
  const query = 'your name, what is it, can you tell me'
  const seen: Answer = (await other.question('noor', query)).json()
  assert.equal(seen.answer_id, 'intro-name')
  await one.put('noor', FEW.replace(/^intro-name.*\r\n/m, ''))
  const gone: Answer = (await other.question('noor', query)).json()
  assert.deepEqual([gone.answer_type, gone.answer_missing, gone.confidence], ['OFF_TOPIC', true, -1])
})

test('a model of another encoder does not answer', async (t) => {
  const one = await openMentorApp(t)
  await one.put('noor', FEW)
  await one.train({ mentor: 'noor' })
  const other = await openMentorApp(t, {}, one.dataDir, new WordsEncoder('words-2'))
  const reply = await other.question('noor', 'Hello')
  assert.equal(reply.statusCode, 404)
  assert.match(reply.body, /No models found for mentor noor\. The live one was trained with another encoder/)
})

test('ping asks without training or answering', async (t) => {
  const { ask, put, train, question } = await openMentorApp(t)
  await put('noor', FEW)
  const ping = { message: 'Successful ping for mentor: noor.' }
  assert.deepEqual((await ask({ method: 'POST', url: '/train', payload: { mentor: 'noor', ping: true } })).json(), ping)
  assert.equal((await question('noor', 'x', { ping: 'true' })).statusCode, 404)
  await train({ mentor: 'noor' })
  assert.deepEqual((await question('noor', 'x', { ping: 'true' })).json(), ping)
})

test('POST /train: a newer request takes the place of a queued one; a key gives the same training', async (t) => {
  const { ask, put } = await openMentorApp(t)
  await put('noor', FEW)
  const post = async (payload: object, headers = {}) => {
    const reply = await ask({ method: 'POST', url: '/train', payload, headers })
    const { data }: { data: { id: string; status: string; statusUrl: string } } = reply.json()
    return { statusCode: reply.statusCode, data }
  }
  const first = await post({ mentor: 'noor' }, { 'idempotency-key': 'k' })
  assert.deepEqual(first.data, {
    id: first.data.id,
    mentor: 'noor',
    status: 'QUEUED',
    statusUrl: `/train/status/${first.data.id}`
  })
  const same = await post({ mentor: 'noor' }, { 'idempotency-key': 'k' })
  assert.deepEqual(same.data, first.data)
  assert.equal((await post({ mentor: 'noor', arch: 'ridge' }, { 'idempotency-key': 'k' })).statusCode, 409)
  await post({ mentor: 'noor' })
  const outdated: { data: { status: string; error: string } } = (await ask({ url: first.data.statusUrl })).json()
  assert.equal(outdated.data.status, 'FAILURE')
  assert.match(outdated.data.error, /A newer request took its place/)
})

test('POST /train says what is wrong: no mentor 400, an unknown one 404, one with nothing to train on FAILURE', async (t) => {
  const { ask, train } = await openMentorApp(t)
  const missing = await ask({ method: 'POST', url: '/train', payload: {} })
  assert.equal(missing.statusCode, 400)
  assert.deepEqual(missing.json<{ errors: object }>().errors, { mentor: ['required field'] })
  assert.equal((await ask({ method: 'POST', url: '/train', payload: { mentor: 'nobody' } })).statusCode, 404)
  const status = await ask({ url: '/train/status/nothing' })
  assert.equal(status.statusCode, 404)
  assert.equal(status.json<{ message: string }>().message, 'not found')
  await ask({ method: 'PUT', url: '/mentors/empty', payload: { answers: [] } })
  const failed = await train({ mentor: 'empty' })
  assert.equal(failed.status, 'FAILURE')
  assert.match(failed.error ?? '', /no answer that counts has a question to train on/)
})

test('GET /train/status/{id} is for those who may read the mentor', async (t) => {
  const { ask, put } = await openMentorApp(t)
  await put('noor', FEW)
  const reply = await ask({ method: 'POST', url: '/train', payload: { mentor: 'noor' }, headers: await bearer('noor') })
  const { data }: { data: { statusUrl: string } } = reply.json()
  assert.equal((await ask({ url: data.statusUrl, headers: await bearer('noor') })).statusCode, 200)
  assert.equal((await ask({ url: data.statusUrl, headers: await bearer('other') })).statusCode, 403)
})

test('GET /questions wants a mentor and a question', async (t) => {
  const { ask } = await openMentorApp(t)
  const reply = await ask({ url: '/questions' })
  assert.equal(reply.statusCode, 400)
  assert.deepEqual(Object.keys(reply.json<{ errors: object }>().errors), ['mentor', 'query'])
  assert.equal((await ask({ url: '/questions?mentor=nobody&query=a' })).statusCode, 404)
})

test('DELETE /mentors/{mentor} takes the models and the recorded questions with it', async (t) => {
  const { ask, put, train, question } = await openMentorApp(t)
  await put('noor', FEW)
  await train({ mentor: 'noor' })
  await question('noor', 'What is your name?')
  assert.equal((await ask({ method: 'DELETE', url: '/mentors/noor' })).statusCode, 204)
  await put('noor', FEW)
  assert.equal((await question('noor', 'What is your name?')).statusCode, 404)
  const versions: Versions = (await ask({ url: '/mentors/noor/versions' })).json()
  assert.deepEqual(versions.data, { live: null, versions: [], history: [] })
})

/** An encoder that does something once, before it encodes. */
class InterruptedEncoder extends WordsEncoder {
  interrupt: (() => Promise<unknown>) | undefined

  override async encode(sentences: readonly string[]) {
    const { interrupt } = this
    this.interrupt = undefined
    await interrupt?.()
    return super.encode(sentences)
  }
}

test('DELETE /mentors/{mentor} leaves nothing of a training that is under way', async (t) => {
  const encoder = new InterruptedEncoder()
  const { ask, put, train, question } = await openMentorApp(t, {}, undefined, encoder)
  await put('noor', FEW)
  encoder.interrupt = () => ask({ method: 'DELETE', url: '/mentors/noor' })
  const first = await train({ mentor: 'noor' })
  assert.deepEqual(
    [first.status, first.error],
    ['FAILURE', 'Cannot train: it was deleted while the training was under way']
  )
  const versions: Versions = (await ask({ url: '/mentors/noor/versions' })).json()
  assert.deepEqual(versions.data, { live: null, versions: [], history: [] })

  await put('noor', FEW)
  assert.equal((await train({ mentor: 'noor' })).status, 'SUCCESS')
  // Stored anew at once, which is another mentor.
  encoder.interrupt = async () => {
    await ask({ method: 'DELETE', url: '/mentors/noor' })
    await put('noor', FEW)
  }
  await put('noor', FEW.replaceAll(/home/gi, 'cottage'))
  assert.equal((await train({ mentor: 'noor' })).status, 'FAILURE')
  assert.equal((await question('noor', 'What is your name?')).statusCode, 404)
})

test('POST …/evaluation judges the live version by questions of one’s own', async (t) => {
  const { ask, put, train } = await openMentorApp(t)
  await put('noor', FEW)
  const judge = (payload: string) =>
    ask({
      method: 'POST',
      url: '/mentors/noor/versions/live/evaluation',
      payload,
      headers: { 'content-type': 'text/csv' }
    })
  const table = 'question,answer\nTell me your name,intro-name\nYour name please,intro-job\nxylophone quantum brie,\n'
  assert.equal((await judge(table)).statusCode, 404)
  await train({ mentor: 'noor' })
  const reply = await judge(table)
  assert.equal(reply.statusCode, 200, reply.body)
  const { data }: { data: { evaluation: Record<string, unknown> } } = reply.json()
  const { questionCount, offTopicCount, accuracy, offTopicRefused, errors } = data.evaluation
  assert.deepEqual([questionCount, offTopicCount, accuracy, offTopicRefused], [2, 1, 0.5, 1])
  assert.ok(Array.isArray(errors))
  assert.deepEqual(
    { ...errors[0], confidence: 0 },
    {
      question: 'Your name please',
      classId: 'intro-job',
      predictedId: 'intro-name',
      confidence: 0,
      isOffTopic: false
    }
  )
  assert.match((await judge('question,answer\na,nobody')).body, /Cannot judge question 1/)
  assert.match((await judge('question,answer\n,intro-name')).body, /line 2 has no question/)
  assert.equal((await judge('text,label\na,b')).statusCode, 400)
})

test('GET /mentors/{mentor}/lint tells of phrases, and after a training of near-duplicates', async (t) => {
  const { ask, put, train } = await openMentorApp(t)
  const csv =
    'id,question,answer\na,Where do you live?,Here.\nb,"Where, do you live",There.\nc,do you live where,Nowhere.'
  await put('x', csv)
  const lint = async () => {
    const { data }: { data: { lint: { kind: string }[]; nearDuplicates: { phrases: string[] }[] | null } } = (
      await ask({ url: '/mentors/x/lint' })
    ).json()
    return data
  }
  const before = await lint()
  assert.deepEqual([before.lint[0]?.kind, before.nearDuplicates], ['SAME_PHRASE', null])
  await train({ mentor: 'x' })
  assert.deepEqual(
    (await lint()).nearDuplicates?.map(({ phrases }) => phrases),
    [
      ['where do you live', 'do you live where'],
      ['where do you live', 'do you live where']
    ]
  )
  assert.equal((await ask({ url: '/mentors/nobody/lint' })).statusCode, 404)
})
