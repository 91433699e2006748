/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { TestContext } from 'node:test'
import { GraphQlStandIn, type GraphQlStandInOptions } from '../../tools/graphql-stand-in/stand-in.ts'

/** A GraphQL service that listens, until the end of the test. */
export async function openStandIn(t: TestContext, options: GraphQlStandInOptions): Promise<GraphQlStandIn> {
  const standIn = new GraphQlStandIn(options)
  await standIn.listen()
  t.after(() => standIn.close())
  return standIn
}
