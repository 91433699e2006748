/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The commands of README.md and docs/ as a reader pastes them: in the order of a page, against one service that begins with nothing.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { temporaryFolder } from '../server/mentor-app.ts'
import { differencesOf, readShownReplies, type ShownReply } from './shown-reply.ts'

const ROOT = join(import.meta.dirname, '../..')
const API_KEY = 'key-one'
const POLL_MS = 50
const SHOWN_ORIGIN = 'http://127.0.0.1:8080'

/** Pages whose commands are run here, each row in its order from an empty folder: the later ones of a row build upon the first. */
const RUN_PAGES = [
  ['README.md', 'docs/followups.md', 'docs/review.md'],
  ['docs/classify-sensors.md'],
  ['docs/classify-text.md', 'docs/inference.md', 'docs/jobs.md', 'docs/clients.md'],
  ['docs/pipeline.md'],
  ['docs/security.md']
]
/** Pages whose commands are not, and why. */
const OTHER_PAGES: Readonly<Record<string, string>> = {
  'docs/container.md': 'they take a container engine; test/app/function.test.ts calls the function by its events',
  'docs/deploy.md':
    'test/docs/deploy-walkthrough.test.ts types them in order, with stand-ins for what takes an account',
  'docs/graphql-mentors.md': 'make start is what test/docs/graphql-walkthrough.test.ts starts',
  'docs/onnx.md': 'it takes a model made in Python; test/server/routes/classifiers/onnx-upload.test.ts brings models'
}
/** What sets up, runs for ever or takes a tool that is not of the project: other tests have these, as make test-clients, or people do. */
const NOT_RUN = /^(?:make|cd tools|npm pack|npm install|pip install|open-webui|npx n8n) /

/** A command of a page, as it would be pasted, and the output that the page shows for it. */
interface Step {
  readonly command: string
  shown?: ShownReply | string
}

/**
 * The commands of a page. A block without commands that follows a block of them shows the output of the last ones: replies
 * as JSON, or a text.
 */
function stepsOf(page: string): Step[] {
  const steps: Step[] = []
  let wereCommands = false
  for (const [, kind = '', block = ''] of page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)) {
    const isOutput = wereCommands && ['json', 'text', ''].includes(kind)
    wereCommands = kind === 'sh' || kind === 'console'
    if (isOutput) addOutput(steps, block)
    if (!wereCommands) continue
    const { commands, output } = readBlock(block, kind === 'console')
    steps.push(...commands.map((command) => ({ command })))
    if (output !== '') addOutput(steps, output)
  }
  return steps
}

function readBlock(block: string, isConsole: boolean): { commands: string[]; output: string } {
  const commands: string[] = []
  let open = false
  let output = ''
  for (const line of block.split('\n')) {
    const typed = isConsole && line.startsWith('$ ') ? line.slice(2) : line
    if (open) commands.push(`${commands.pop()}\n${typed}`)
    else if (typed.trim() !== '' && (!isConsole || line.startsWith('$ '))) commands.push(typed)
    else {
      output += line
      continue
    }
    const command = commands.at(-1)!
    open = command.endsWith('\\') || (command.match(/'/g) ?? []).length % 2 === 1
  }
  return { commands, output }
}

function addOutput(steps: Step[], output: string): void {
  const replies = output.startsWith('{') ? readShownReplies(output) : [output]
  for (const [i, step] of steps.slice(-replies.length).entries()) step.shown = replies[i]!
}

/** A folder as a clone is, but for what a run leaves there. */
async function workplace(t: TestContext): Promise<string> {
  const folder = join(await temporaryFolder(t), 'clone')
  await mkdir(join(folder, 'bin'), { recursive: true })
  for (const name of ['package.json', '.npmrc', 'node_modules', 'src', 'tools', 'examples', 'models']) {
    await symlink(join(ROOT, name), join(folder, name))
  }
  // A reply that is an error must not pass for a good one.
  const { stdout } = await run('command -v curl', folder, {})
  await writeFile(join(folder, 'bin/curl'), `#!/bin/sh\nexec ${stdout.trim()} --fail-with-body "$@"\n`, { mode: 0o755 })
  return folder
}

function run(command: string, cwd: string, env: Record<string, string>) {
  const { promise, resolve } = Promise.withResolvers<{ status: number; stdout: string; stderr: string }>()
  const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 }
  execFile('bash', ['-c', command], options, (error, stdout, stderr) => {
    resolve({ status: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr })
  })
  return promise
}

async function start(t: TestContext, cwd: string): Promise<string> {
  const env = { ...process.env, PORT: '0', API_SECRET_KEY: API_KEY, ENCODE_WORKERS: '1' }
  const child = spawn(process.execPath, [join(ROOT, 'src/bin/service.ts')], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const exited = once(child, 'close')
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  let origin = ''
  for await (const line of createInterface(child.stdout)) {
    const { msg, address }: { msg: string; address?: string } = JSON.parse(line)
    if (msg === 'listening' && address !== undefined) origin = address
    if (msg === 'ready') break
  }
  child.stdout.resume()
  assert.notEqual(origin, '')
  return origin
}

test('every page with commands is run here, or says why not', async () => {
  const pages = ['README.md', ...(await readdir(join(ROOT, 'docs'))).map((name) => `docs/${name}`)]
  const withCommands = []
  for (const page of pages.filter((name) => name.endsWith('.md'))) {
    if (stepsOf(await readFile(join(ROOT, page), 'utf8')).length > 0) withCommands.push(page)
  }
  assert.deepEqual(withCommands.toSorted(), [...RUN_PAGES.flat(), ...Object.keys(OTHER_PAGES)].toSorted())
})

test('commands whose output is data keep npm silent, wherever they are shown', async () => {
  const shown = [
    'README.md',
    'src/cli/command-line.ts',
    ...(await readdir(join(ROOT, 'docs'))).map((name) => `docs/${name}`)
  ]
  for (const path of shown.filter((name) => /\.(?:md|ts|yml)$/.test(name))) {
    const text = await readFile(join(ROOT, path), 'utf8')
    assert.doesNotMatch(text, /npm run (?:train|evaluate|predict|invoke)\b/, path)
  }
})

for (const pages of RUN_PAGES) {
  test(`the commands of ${pages.join(', ')} work as pasted`, async (t) => {
    const cwd = await workplace(t)
    const origin = await start(t, cwd)
    for (const page of pages) await runPage(page, cwd, origin)
    if (!pages.includes('docs/pipeline.md')) return
    assert.match(await readFile(join(cwd, 'classes.csv'), 'utf8'), /^class,error\r\n[01]\.0,\r\n/)
    assert.match(await readFile(join(cwd, 'classes.json'), 'utf8'), /^\{"class":\[[01]\.0,.*\]\}\n$/)
  })
}

async function runPage(page: string, cwd: string, origin: string): Promise<void> {
  const env = { PATH: `${join(cwd, 'bin')}:${process.env['PATH'] ?? ''}`, API_KEY, ENCODE_WORKERS: '1' }
  let variables = ''
  let id = ''
  for (const { command: typed, shown } of stepsOf(await readFile(join(ROOT, page), 'utf8'))) {
    if (NOT_RUN.test(typed)) continue
    const command = typed.replaceAll(SHOWN_ORIGIN, origin).replaceAll('<id>', id)
    if (command.startsWith('URL=')) {
      variables = command
      continue
    }
    let done = await run(`${variables}\n${command}`, cwd, env)
    if (command.includes('/train/status/')) {
      while (/"status":"(?:QUEUED|IN_PROGRESS)"/.test(done.stdout)) {
        await pause(POLL_MS)
        done = await run(`${variables}\n${command}`, cwd, env)
      }
      assert.match(done.stdout, /"status":"SUCCESS"/, `${page}: ${typed}`)
    }
    assert.equal(done.status, 0, `${page}: ${typed}\n${done.stdout}${done.stderr}`)
    if (shown !== undefined) assertShown(shown, done.stdout, `${page}: ${typed}`)
    id = /^\{"(?:data":\{")?id":"([^"]+)"/.exec(done.stdout)?.[1] ?? id
  }
}

function assertShown(shown: ShownReply | string, output: string, step: string): void {
  if (typeof shown === 'string') assert.equal(output.replaceAll('\r\n', '\n'), shown, step)
  else assert.deepEqual(differencesOf(shown, JSON.parse(output)), [], `${step}\n${output}`)
}
