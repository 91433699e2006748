/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { compareFound } from '../../../tools/test-clients/n8n.ts'
import { programsOf } from '../../../tools/test-clients/page.ts'
import { runProgram } from '../../../tools/test-clients/run-program.ts'

const ROOT = join(import.meta.dirname, '../../..')
const programs = programsOf(await readFile(join(ROOT, 'docs/clients.md'), 'utf8'))
const node = programs.find(({ client }) => client === "OpenAI's Node.js client")!

/** A server that gives every text the numbers of `vector`, and to /v1/encode those of `encoding`. */
async function serve(t: TestContext, vector: readonly number[], encoding: readonly number[]): Promise<string> {
  const embedding = Buffer.from(Float32Array.from(vector).buffer).toString('base64')
  const data = [0, 1].map((index) => ({ object: 'embedding', index, embedding }))
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    const isEncode = request.url?.startsWith('/v1/encode?') === true
    request.resume().on('end', () => response.end(JSON.stringify(isEncode ? { encoding } : { object: 'list', data })))
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return `http://127.0.0.1:${address.port}`
}

async function workplace(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'clients-'))
  t.after(() => rm(folder, { recursive: true }))
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

test('docs/clients.md has a program for each client that installs from a registry', () => {
  const names = programs.map(({ client }) => client.replace(/^OpenAI's /, 'OpenAI ').replace(/ client$/, ''))
  assert.deepEqual(names, [
    'OpenAI Python',
    'OpenAI Node.js',
    'LangChain',
    'LangChain.js',
    'LlamaIndex',
    'LiteLLM',
    'Haystack',
    'Chroma',
    "Triton's Python",
    'Open WebUI',
    'n8n'
  ])
})

function page(install: string, end: string): string {
  return `# Page\n\n## One\n\n\`\`\`python\n# pip install ${install}\n${end}\n\`\`\`\n`
}

test('programsOf() wants fixed versions, and a word on what is printed', () => {
  assert.deepEqual(programsOf(page('"a[b]==1.2" c==3', 'print(1)  # 1')), [
    {
      client: 'One',
      language: 'python',
      packages: ['a[b]==1.2', 'c==3'],
      text: '# pip install "a[b]==1.2" c==3\nprint(1)  # 1\n',
      printed: '1\n',
      settings: {}
    }
  ])
  assert.throws(() => programsOf(page('a', 'print(1)  # 1')), /One: a first line that installs fixed versions/)
  assert.throws(() => programsOf(page('a==1', 'print(1)')), /One: a comment that says what is printed/)
})

test('programsOf() gives a program the settings that its section shows, and takes commands that begin with what npm installs', () => {
  const server = `${page('a==1', 'print(1)  # 1')}\n\`\`\`ini\nA_URL=http://b/c\nKEY=one of many\n\`\`\`\n`
  assert.deepEqual(programsOf(server)[0]?.settings, { A_URL: 'http://b/c', KEY: 'one of many' })
  const commands = '## Two\n\n```sh\ncurl x\n```\n\n```sh\n# npm install d@4.5\nnpx d\n```\n'
  assert.deepEqual(
    programsOf(commands).map(({ language, packages, text }) => [language, packages, text]),
    [['sh', ['d@4.5'], '# npm install d@4.5\nnpx d\n']]
  )
  assert.throws(() => programsOf(commands.replace('@4.5', '')), /Two: a first line that installs fixed versions/)
})

/** What n8n's commands print when the last node gives these passages. */
function printed(...passages: string[]): string {
  const found = passages.map((pageContent) => ({ json: { document: { pageContent } } }))
  const execution = { data: { resultData: { runData: { Find: [{ data: { main: [found] } }] } } } }
  return `Successfully imported 1 workflow.\n${JSON.stringify(execution, undefined, 2)}\n`
}

test('n8n has found the right passage when the last node gives that and no other', () => {
  const right = 'To fly planes you need a pilot licence.'
  compareFound(printed(right))
  assert.throws(() => compareFound(printed('The library opens at nine.')), /it found \["The library opens at nine."\]/)
  assert.throws(() => compareFound(printed(right, right)), /it found/)
  assert.throws(() => compareFound('Successfully imported 1 workflow.\n'))
})

test('runProgram() takes a program whose output and vector are right, and no other', async (t) => {
  const right = Array.from({ length: 384 }, (_, index) => Math.fround(Math.sin(index)))
  const wrong = right.with(383, 0.5)
  const setting = { folder: await workplace(t), interpreter: process.execPath, apiKey: 'key' }
  await runProgram(node, { ...setting, origin: await serve(t, right, right) })
  await assert.rejects(
    runProgram(node, { ...setting, origin: await serve(t, wrong, right) }),
    /of which number 383 is not that of \/v1\/encode/
  )
  await assert.rejects(
    runProgram(node, { ...setting, origin: await serve(t, right.slice(1), right) }),
    /it printed\n2 383\ninstead of\n2 384\n/
  )
})
