/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// npm run aws-cost: what a stage costs, as docs/deploy.md shows it. Prices are in prices.json, sizes in cost.ts.
import process from 'node:process'
import { costTable } from './cost.ts'

process.stdout.write(costTable())
