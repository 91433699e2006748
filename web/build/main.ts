/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// usage: main.ts [<folder>]   builds the playground, else into web/dist
import { join } from 'node:path'
import process from 'node:process'
import { buildWeb } from './build-web.ts'

const [folder = join(import.meta.dirname, '../dist')] = process.argv.slice(2)
await buildWeb(folder)
