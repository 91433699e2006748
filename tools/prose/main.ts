/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { findWording, isExcepted } from './find-wording.ts'
import { WORDING } from './glossary.ts'

// usage: main.ts   in a git checkout; exits with 1 when prose or names are against the glossary
const root = execFileSync('git', ['rev-parse', '--show-toplevel'], { encoding: 'utf8' }).trim()
const paths = execFileSync(
  'git',
  [
    'ls-files',
    '-z',
    '--cached',
    '--others',
    '--exclude-standard',
    '--deduplicate',
    '--',
    'README.md',
    'docs/*.md',
    'src/*.ts',
    'src/*.c',
    'src/*.h'
  ],
  { cwd: root, encoding: 'utf8' }
)

const found = await Promise.all(
  paths
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(root, path)))
    .map(async (path) => findWording(path, await readFile(join(root, path), 'utf8')))
)
const findings = found.flat()
const faults = findings.filter((finding) => !isExcepted(finding))
for (const { path, line, found: wording, rule } of faults)
  console.error(`${path}:${line}: "${wording}": write ${rule.write}`)

const unused = WORDING.flatMap((rule) => (rule.except ?? []).map((exception) => ({ rule, ...exception }))).filter(
  ({ rule, path }) => !findings.some((finding) => finding.rule === rule && finding.path === path)
)
for (const { rule, path } of unused)
  console.error(`tools/prose/glossary.ts: ${path} needs no exception for ${rule.write}`)
if (faults.length + unused.length > 0) process.exitCode = 1
