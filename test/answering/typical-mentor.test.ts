/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { LocalEncoder } from '../../src/embedding/local-encoder.ts'
import { rowOf } from '../../src/embedding/encoder.ts'
import { gramsOf } from '../../src/learning/character-grams.ts'
import { ClassifierModel, packSoftmaxModel } from '../../src/learning/classifier-model.ts'
import { TensorEngine } from '../../src/learning/tensor-engine.ts'
import { trainSoftmax } from '../../src/learning/train-softmax.ts'
import { sanitize } from '../../src/mentor/sanitize.ts'
import { modelPath } from '../fixtures/model-path.ts'

// What an author brings: 20 answers, three phrases each. The last of each is asked and not trained on.
const ANSWERS = [
  ['What is your name?', 'Who are you?', 'How should I call you?', 'may I ask your name'],
  ['Where did you grow up?', 'Which town are you from?', 'Where is your home town?', 'what place did you grow up in'],
  ['How old are you?', 'When were you born?', 'What is your age?', 'what year were you born in'],
  ['What do you do for a living?', 'What is your job?', 'Describe your profession', 'tell me what your job is'],
  [
    'Why did you become a nurse?',
    'What made you choose nursing?',
    'How did you get into nursing?',
    'why did you choose to be a nurse'
  ],
  ['Do you have children?', 'How many kids do you have?', 'Are you a parent?', 'do you have any kids'],
  ['Are you married?', 'Do you have a husband?', 'Who is your partner?', 'is there a husband in your life'],
  ['What did you study?', 'Which university did you go to?', 'What is your degree?', 'where did you go to university'],
  [
    'What is a typical day at work like?',
    'Describe your day at the hospital',
    'What do you do all day?',
    'how does a normal work day look'
  ],
  ['How much do nurses earn?', 'What is your salary?', 'Is nursing paid well?', 'what does a nurse get paid'],
  [
    'What is the hardest part of your job?',
    'What do you dislike about nursing?',
    'What is difficult in your work?',
    'which part of the work is hardest'
  ],
  [
    'What do you love about your job?',
    'What is the best part of being a nurse?',
    'What makes you happy at work?',
    'what is the best thing about your job'
  ],
  [
    'How do you deal with stress?',
    'How do you stay calm?',
    'What helps you when work is stressful?',
    'how do you cope with stress'
  ],
  [
    'Did you ever think of quitting?',
    'Have you wanted to give up?',
    'Were you close to leaving nursing?',
    'did you ever want to quit'
  ],
  [
    'What advice do you have for students?',
    'What should a nursing student know?',
    'Any tips for beginners?',
    'do you have advice for a student'
  ],
  [
    'What are your hobbies?',
    'What do you do in your free time?',
    'How do you relax at the weekend?',
    'what hobbies do you have'
  ],
  [
    'Do you work night shifts?',
    'What are the hours like?',
    'How many hours do you work?',
    'do you have to work at night'
  ],
  [
    'Have you ever lost a patient?',
    'How do you handle death?',
    'Did a patient of yours die?',
    'how is it when a patient dies'
  ],
  [
    'Is it hard to find work as a nurse?',
    'Are there many jobs for nurses?',
    'Is there demand for nurses?',
    'is it easy for nurses to find a job'
  ],
  [
    'Would you choose this career again?',
    'Do you regret becoming a nurse?',
    'Was it the right decision?',
    'would you become a nurse again'
  ]
] as const
const NONSENSE = [
  'how do I bake a lasagne',
  'what is the capital of Mongolia',
  'my printer does not print any more',
  'book a flight to Lisbon for Friday',
  'which team won the cup final',
  'what is the square root of 144',
  'turn off the lights in the kitchen',
  'how tall is the Eiffel tower',
  'recommend a laptop for gaming',
  'is it going to rain tomorrow',
  'translate good morning into Spanish',
  'where can I park near the stadium',
  'asdf qwer zxcv',
  'sell all my shares',
  'what time does the pharmacy close',
  'how do volcanoes erupt',
  'reset my password please',
  'tell me a joke about cats',
  'convert ten miles to kilometres',
  'who painted the Mona Lisa'
] as const

const encoder = new LocalEncoder({
  folder: join(modelPath, 'compiled'),
  precision: 'int8',
  workerCount: 1,
  maxBatchTokens: 256,
  maxPendingTokens: 1_000_000,
  maxCallerShare: 1
})
await encoder.start()
const engine = await TensorEngine.create()
after(async () => {
  await engine[Symbol.asyncDispose]()
  await encoder.close()
})

async function mentorOf(phraseCount: number): Promise<ClassifierModel> {
  const samples = ANSWERS.flatMap((phrases, label) =>
    phrases.slice(0, phraseCount).map((text) => ({ text: sanitize(text), label }))
  )
  const texts = samples.map(({ text }) => text)
  const { values } = await encoder.encode(texts)
  const set = {
    features: { values, rows: texts.length, columns: encoder.dimensions },
    grams: texts.map(gramsOf),
    labels: Int32Array.from(samples, ({ label }) => label),
    classCount: ANSWERS.length
  }
  const classIds = ANSWERS.map(([question]) => question)
  return ClassifierModel.load(
    packSoftmaxModel(await trainSoftmax(engine, set), set, { classIds, encoderRevision: 'test' })
  )
}

async function askAll(model: ClassifierModel, questions: readonly string[]) {
  const embeddings = await encoder.encode(questions)
  return questions.map((question, i) => model.predict(rowOf(embeddings, i), 1, { text: sanitize(question) }))
}

for (const phraseCount of [1, 2, 3]) {
  test(`a mentor of 20 answers and ${phraseCount} phrases each answers what it knows and refuses nonsense`, async () => {
    const model = await mentorOf(phraseCount)
    const good = await askAll(
      model,
      ANSWERS.map((phrases) => phrases[3])
    )
    const nonsense = await askAll(model, NONSENSE)
    const right = good.filter(({ classId, isOffTopic }, i) => !isOffTopic && classId === ANSWERS[i]![0])
    assert.ok(right.length >= 16, `${right.length} of 20 answered right`)
    const answered = NONSENSE.filter((_, i) => !nonsense[i]!.isOffTopic)
    assert.ok(answered.length <= 2, `answered: ${answered.join('; ')}`)
    const least = good.map(({ confidence }) => confidence).toSorted((a, b) => a - b)[4]!
    assert.ok(nonsense.filter(({ confidence }) => confidence > least).length <= 2, 'confidence tells the two apart')
  })
}

test('a mentor of 20 answers reads questions with letters swapped, dropped and doubled', async () => {
  const model = await mentorOf(3)
  const spoilt = [
    'may I aks yuor name',
    'waht hobbies do you ahve',
    'do yuo have any kidss',
    'how do you cope with sterss',
    'what does a nusre get paid'
  ]
  const wanted = [0, 15, 5, 12, 9].map((label) => ANSWERS[label]![0])
  const found = await askAll(model, spoilt)
  const right = found.filter(({ classId, isOffTopic }, i) => !isOffTopic && classId === wanted[i])
  assert.ok(right.length >= 4, found.map(({ classId, confidence }) => `${classId} ${confidence}`).join('; '))
})
