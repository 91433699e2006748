/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// JavaScript, because a Node.js that is too old cannot read TypeScript. npm leaves an optional package out without a
// word when its download fails; an old Node.js from the PATH then runs instead of the project's own.
import { readFileSync } from 'node:fs'
import process from 'node:process'

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const wanted = engines.node.replace('>=', '')
const [major, minor] = process.versions.node.split('.').map(Number)
const [wantedMajor, wantedMinor] = wanted.split('.').map(Number)

if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor)) {
  console.error(`Node.js ${wanted} or newer is needed, but this is ${process.versions.node} (${process.execPath}).
The project installs its own Node.js for development; that package is missing here. Run \`npm ci --include=dev --ignore-scripts\`
and see that it can reach the npm registry, or put a newer Node.js on the PATH.`)
  process.exit(1)
}
