/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
// The service with a stand-in for the model, as a process of its own: test/app/service.test.ts starts and stops it.
import { runService } from '../../src/app/service.ts'
import { createStandInEncoding } from './stand-in-encoding.ts'

await runService(process.env, createStandInEncoding)
