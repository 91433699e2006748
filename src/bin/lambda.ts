/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { runFunction } from '../app/function.ts'
import { createLocalEncoding } from '../app/encoding.ts'

await runFunction(process.env, createLocalEncoding)
