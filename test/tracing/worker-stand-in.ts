/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// A worker with a stand-in for the model, as a process of its own.
import { runWorker } from '../../src/app/worker.ts'
import { createStandInEncoding } from '../app/stand-in-encoding.ts'

await runWorker(process.env, createStandInEncoding)
