/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The load test: cd tools && API_KEY=… k6 run --vus 10 -i 5000 encode-k6.js
// BASE_URL=https://… tests a service elsewhere. Fails when a reply is wrong or the thresholds are missed.
import { check } from 'k6'
import { SharedArray } from 'k6/data'
import exec from 'k6/execution'
import http from 'k6/http'

const BASE_URL = (__ENV.BASE_URL || 'http://127.0.0.1:8080').replace(/\/+$/, '')
const DIMENSIONS = 384

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
}

export default function encodeQuestion() {
  // By the iteration of the whole test, so that every question is asked as often as any other, whoever asks.
  const query = questions[exec.scenario.iterationInTest % questions.length]
  const response = http.get(`${BASE_URL}/v1/encode?query=${encodeURIComponent(query)}`, {
    headers: { authorization: `Bearer ${__ENV.API_KEY}` },
    // One name for all questions: k6 keeps its figures by name, and would otherwise by URL.
    tags: { name: 'GET /v1/encode' }
  })
  check(response, {
    'status is 200': ({ status }) => status === 200,
    [`encoding is ${DIMENSIONS} numbers`]: (reply) => isEncoding(reply)
  })
}

function isEncoding(response) {
  if (response.status !== 200) return false
  const encoding = response.json('encoding')
  return Array.isArray(encoding) && encoding.length === DIMENSIONS && encoding.every(Number.isFinite)
}
