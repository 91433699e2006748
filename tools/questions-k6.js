/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The load test of mentors: cd tools && API_KEY=… MENTOR=… k6 run --vus 10 -i 5000 questions-k6.js
// BASE_URL=https://… tests a service elsewhere. The mentor must have been trained.
// Fails when a reply is wrong or the thresholds are missed.
import { check } from 'k6'
import { SharedArray } from 'k6/data'
import exec from 'k6/execution'
import http from 'k6/http'

const BASE_URL = (__ENV.BASE_URL || 'http://127.0.0.1:8080').replace(/\/+$/, '')
const ANSWER_TYPES = new Set(['EXACT', 'PARAPHRASE', 'CLASSIFIER', 'OFF_TOPIC'])

const questions = new SharedArray('questions', () => JSON.parse(open('./questions.json')))

export const options = {
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate==0'],
    http_req_duration: ['p(95)<1000']
  }
}

export function setup() {
  if (!__ENV.API_KEY) exec.test.abort('API_KEY is not set: give it one of the keys in API_SECRET_KEY of the service')
  if (!__ENV.MENTOR) exec.test.abort('MENTOR is not set: give it the id of a trained mentor')
}

export default function askQuestion() {
  // By the iteration of the whole test, so that every question is asked as often as any other, whoever asks.
  const query = questions[exec.scenario.iterationInTest % questions.length]
  const address = `${BASE_URL}/questions?mentor=${encodeURIComponent(__ENV.MENTOR)}&query=${encodeURIComponent(query)}`
  const response = http.get(address, {
    headers: { authorization: `Bearer ${__ENV.API_KEY}` },
    // One name for all questions: k6 keeps its figures by name, and would otherwise by URL.
    tags: { name: 'GET /questions' }
  })
  check(response, {
    'status is 200': ({ status }) => status === 200,
    'there is an answer': (reply) => isAnswer(reply)
  })
}

function isAnswer(response) {
  if (response.status !== 200) return false
  const { answer_id: id, answer_type: type, confidence } = response.json()
  return typeof id === 'string' && id !== '' && ANSWER_TYPES.has(type) && Number.isFinite(confidence)
}
