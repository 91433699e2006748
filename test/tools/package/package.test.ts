/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The package as others have it: packed by npm from a copy of the repository, installed elsewhere, imported from JavaScript and TypeScript.
// PACKAGE_NODES names more programs of Node.js to run it under, as PATH names folders.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '../../..')
const NODES = [process.execPath, ...(process.env['PACKAGE_NODES'] ?? '').split(delimiter).filter((path) => path !== '')]
const COPIED = [
  'package.json',
  '.npmrc',
  '.gitignore',
  'LICENSE',
  'README.md',
  'tsconfig.json',
  'tsconfig.package.json'
]
const COMPILER_OPTIONS = { module: 'nodenext', target: 'es2022', strict: true, types: ['node'] }

let folder: string
let tarball: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'package-'))
  const clone = join(folder, 'clone')
  for (const name of [...COPIED, 'src', 'tools/package', 'tools/check-node.js']) {
    await cp(join(ROOT, name), join(clone, name), { recursive: true })
  }
  await symlink(join(ROOT, 'node_modules'), join(clone, 'node_modules'))
  // What an earlier build left must not be packed.
  await mkdir(join(clone, 'dist'))
  await writeFile(join(clone, 'dist/left-over.js'), '')
  await run('npm', ['pack', '--loglevel=error'], clone)
  tarball = join(clone, 'sbert-service-0.1.0.tgz')
})

after(() => rm(folder, { recursive: true, force: true }))

/** Runs a program to its end. @returns what it printed; throws when it fails, with that */
async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  // Without what the npm that runs this test tells its scripts.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))
  try {
    const { stdout } = await promisify(execFile)(program, args, { cwd, env, maxBuffer: 16 * 1024 * 1024 })
    return stdout
  } catch (error) {
    const said = error instanceof Error && 'stdout' in error && 'stderr' in error ? [error.stdout, error.stderr] : []
    throw new Error(`${program} ${args.join(' ')} failed\n${said.join('')}`, { cause: error })
  }
}

/** An empty project with the package installed, and beside it packages that this repository has. */
async function project(name: string, others: readonly string[]): Promise<string> {
  const path = join(folder, name)
  await mkdir(path)
  await writeFile(join(path, 'package.json'), '{"type":"module"}')
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--loglevel=error', tarball], path)
  for (const other of others) {
    const link = join(path, 'node_modules', other)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(ROOT, 'node_modules', other), link)
  }
  return path
}

/** Compiles the project's files for Node.js beside themselves. */
async function compile(path: string, options: Readonly<Record<string, unknown>>): Promise<void> {
  await writeFile(join(path, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...COMPILER_OPTIONS, ...options } }))
  await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.'], path)
}

/** Runs the consumer until the producer is done. @returns what the producer printed */
async function produce(node: string, path: string): Promise<string> {
  const consumer = spawn(node, ['--no-warnings', 'consumer.js'], { cwd: path, stdio: ['ignore', 'ignore', 'inherit'] })
  const exited = once(consumer, 'exit')
  try {
    return await run(node, ['--no-warnings', 'producer.js'], path)
  } finally {
    consumer.kill('SIGTERM')
    assert.deepEqual(await exited, [0, null], 'the consumer stops by itself')
  }
}

/** The programs that docs/jobs.md shows, by the name in their first line. */
async function shownPrograms(): Promise<Map<string, string>> {
  const page = await readFile(join(ROOT, 'docs/jobs.md'), 'utf8')
  const programs = [...page.matchAll(/^```ts\n\/\/ (\w+)\.ts\n([\s\S]*?)^```$/gm)]
  return new Map(programs.map(([, name = '', text = '']) => [name, text]))
}

test('npm pack builds the package, and leaves the repository’s package.json as it was', async () => {
  assert.equal(
    await readFile(join(folder, 'clone/package.json'), 'utf8'),
    await readFile(join(ROOT, 'package.json'), 'utf8')
  )
  const path = await project('contents', [])
  const installed = join(path, 'node_modules/sbert-service')
  assert.deepEqual((await readdir(installed)).toSorted(), ['LICENSE', 'README.md', 'dist', 'package.json'])
  const files = await readdir(join(installed, 'dist'), { recursive: true })
  assert.ok(!files.includes('left-over.js'))
  const maps = files.filter((name) => name.endsWith('.map'))
  assert.ok(maps.includes('jobs/index.js.map') && maps.includes('jobs/index.d.ts.map'))
  for (const map of maps) {
    const { sources }: { sources: string[] } = JSON.parse(await readFile(join(installed, 'dist', map), 'utf8'))
    for (const source of sources) {
      const text = await readFile(join(installed, 'dist', dirname(map), source), 'utf8')
      assert.equal(text, await readFile(join(ROOT, 'src', map.replace(/\.(?:js|d\.ts)\.map$/, '.ts')), 'utf8'))
    }
  }
})

test('a packing that is killed leaves the repository’s package.json as it was', async () => {
  const manifest = join(folder, 'clone/package.json')
  const original = await readFile(manifest, 'utf8')
  // In the place of npm: it runs the first step, and is killed before the second.
  const npm = spawn(
    'sh',
    ['-c', `"${process.execPath}" tools/package/main.ts prepack; echo replaced; exec sleep 600`],
    {
      cwd: join(folder, 'clone'),
      stdio: ['ignore', 'pipe', 'inherit']
    }
  )
  const exited = once(npm, 'exit')
  await once(npm.stdout, 'data')
  assert.notEqual(await readFile(manifest, 'utf8'), original)
  npm.kill('SIGKILL')
  await exited
  while ((await readFile(manifest, 'utf8')) !== original) await pause(50)
  assert.deepEqual(await readdir(join(folder, 'clone/.cache/package')), [])
})

test('the package brings no other package', async () => {
  const path = await project('alone', [])
  assert.deepEqual(
    (await readdir(join(path, 'node_modules'))).filter((name) => !name.startsWith('.')),
    ['sbert-service']
  )
  await assert.rejects(run(process.execPath, ['-e', 'await import("sbert-service/jobs/aws")'], path), /@aws-sdk/)
})

test('publint and Are the Types Wrong find nothing', async () => {
  const programs = join(ROOT, 'node_modules/.bin')
  assert.match(await run(join(programs, 'publint'), ['--strict', tarball], folder), /All good!/)
  await run(join(programs, 'attw'), [tarball, '--config-path', join(ROOT, '.attw.json')], folder)
})

for (const node of NODES) {
  test(`the programs of docs/jobs.md work as JavaScript and as TypeScript under ${node}`, async () => {
    const programs = await shownPrograms()
    assert.deepEqual([...programs.keys()], ['consumer', 'producer'])
    for (const language of ['js', 'ts'] as const) {
      const path = await project(
        `${language}-${NODES.indexOf(node)}`,
        language === 'ts' ? ['@types/node', 'undici-types'] : []
      )
      for (const [name, text] of programs) {
        await writeFile(join(path, `${name}.${language}`), language === 'ts' ? text : stripTypeScriptTypes(text))
      }
      if (language === 'ts') await compile(path, { lib: ['es2023'], exactOptionalPropertyTypes: true })
      assert.match(await produce(node, path), /^(?:SUBMITTED|IN_PROGRESS|SUCCESS)\n\{ n: 2 \}\n\{ n: 42 \}\n$/)
    }
  })

  test(`examples/jobs, with the backend on AWS in sight, work against the package under ${node}`, async () => {
    const path = await project(`examples-${NODES.indexOf(node)}`, [
      '@types/node',
      'undici-types',
      '@aws-sdk',
      '@smithy'
    ])
    for (const name of ['backend.ts', 'consumer.ts', 'producer.ts']) {
      await cp(join(ROOT, 'examples/jobs', name), join(path, name))
    }
    await compile(path, { rewriteRelativeImportExtensions: true, skipLibCheck: true })
    const printed = await produce(node, path)
    assert.match(printed, /^waited for: \{ words: 4 \}$/m)
    assert.match(printed, /^refused for good: there is nothing to count$/m)
    const program = 'import("sbert-service/jobs/aws").then((aws) => console.log(Object.keys(aws)))'
    assert.equal(await run(node, ['-e', program], path), "[ 'AwsJobBackend' ]\n")
  })
}

test('a declaration says what a wrong call did wrong', async () => {
  const path = await project('wrong', ['@types/node', 'undici-types'])
  const call = `import { Producer, MemoryJobBackend } from 'sbert-service/jobs'
const producer = new Producer<{ n: number }, string>(new MemoryJobBackend())
await producer.postNonBlocking({ n: 'one' })
`
  await writeFile(join(path, 'wrong.ts'), call)
  await assert.rejects(compile(path, {}), /Type 'string' is not assignable to type 'number'/)
})
