/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { createLocalEncoding } from '../app/encoding.ts'
import { runService } from '../app/service.ts'

await runService(process.env, createLocalEncoding)
