/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { Readable } from 'node:stream'
import { spec } from 'node:test/reporters'
import type { TestEvent } from 'node:test/reporters'

/**
 * Node's `spec` report, its closing lines written as TAP writes them: `# tests 12`, `# pass 12`, …
 * People can read it, and so can the programs that know the end of a TAP report. (A terminal's colours are left alone.)
 */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const text of Readable.from(events).compose(new spec())) {
    yield String(text).replaceAll(/^ℹ /gm, '# ')
  }
}
