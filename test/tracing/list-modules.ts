/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// Preloaded into a process: at its end says which modules it has loaded, by either way of Node.js.
import { registerHooks } from 'node:module'

const loaded = new Set<string>()
registerHooks({
  load(url, context, nextLoad) {
    loaded.add(url)
    return nextLoad(url, context)
  }
})
process.once('exit', () => process.stderr.write(`loaded modules: ${[...loaded].join(' ')}\n`))
