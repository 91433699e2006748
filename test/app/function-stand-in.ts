/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
// The function with a stand-in for the model, as a process of its own: test/app/function.test.ts starts and stops it.
import { runFunction } from '../../src/app/function.ts'
import { createStandInEncoding } from './stand-in-encoding.ts'

await runFunction(process.env, createStandInEncoding)
