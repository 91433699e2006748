/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { HELP } from '../../src/cli/command-line.ts'
import { runCommand } from '../../src/cli/run-command.ts'
import type { CreateEncoding } from '../../src/app/open-app.ts'
import { linearModel } from '../onnx/models.ts'
import { openMentorApp, WordsEncoder } from '../server/mentor-app.ts'
import { tokenizeWords } from '../server/test-app.ts'

/** Two sensors that tell a running machine from one that stands, and now and then do not. */
function sensors(rowCount: number, label = (i: number) => i % 2): string {
  const rows = Array.from(
    { length: rowCount },
    (_, i) => `${(i % 2) * 2 + (i % 7) / 10},${-(i % 2) * 2 + (i % 5) / 10},${label(i)}`
  )
  return `${['sensor_1,sensor_2,state', ...rows].join('\n')}\n`
}

const createEncoding: CreateEncoding = () => ({
  encoder: new WordsEncoder(),
  tokenize: tokenizeWords,
  readiness: { isReady: () => true, reasons: () => [] },
  start: async () => undefined,
  close: async () => undefined,
  load: () => ({ waitingSentences: 0, waitingTokens: 0, oldestAgeMs: 0, liveWorkers: 1 })
})

async function openShell(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'cli-'))
  t.after(() => rm(folder, { recursive: true }))
  const dataDir = join(folder, 'data')
  return {
    dataDir,
    folder,
    file: async (name: string, content: string) => {
      await writeFile(join(folder, name), content)
      return join(folder, name)
    },
    run: async (args: readonly string[], env: Record<string, string> = {}, signal = new AbortController().signal) => {
      const output: string[] = []
      const errors: string[] = []
      const stdout = new Writable({
        write(chunk: Buffer, _encoding, done) {
          output.push(chunk.toString())
          done()
        }
      })
      const stderr = { write: (text: string) => errors.push(text) }
      const environment = { DATA_DIR: dataDir, ...env }
      const status = await runCommand(args, { env: environment, stdout, stderr, createEncoding, signal })
      return { status, stdout: output.join(''), stderr: errors.join('') }
    }
  }
}

test('train, evaluate and predict: a table becomes a version that is judged and asked, with plots', async (t) => {
  const { run, file, folder } = await openShell(t)
  const table = await file('data.csv', sensors(80))
  const plots = join(folder, 'plots')
  const name = ['--name', 'sensors']
  const trained = await run([
    'train',
    table,
    ...name,
    '--label',
    'state',
    '--plots',
    plots,
    '--learning-curve',
    '--json'
  ])
  assert.equal(trained.status, 0, trained.stderr)
  const result = JSON.parse(trained.stdout)
  assert.deepEqual([result.version, result.architecture, result.rowCount, result.passed], [1, 'logistic', 80, true])
  assert.deepEqual(result.label, { name: 'state', type: 'number' })
  assert.deepEqual(result.learningCurve.map((point: { sampleCount: number }) => point.sampleCount).at(-1), 80)
  assert.equal(result.learningCurve.length, 4)
  assert.deepEqual(await readdir(plots), ['calibration.svg', 'confusion-matrix.svg', 'learning-curve.svg'])
  assert.match(await readFile(join(plots, 'learning-curve.svg'), 'utf8'), /<svg.*>80<\/text>/s)
  assert.match(trained.stderr, /FITTING/)

  const judged = await run(['evaluate', await file('test.csv', sensors(30)), ...name, '--min-accuracy', '0.9'])
  assert.equal(judged.status, 0, judged.stderr)
  assert.match(judged.stdout, /sensors: version 1 \(logistic\), table: accuracy 100\.0%.* of 30 rows/)
  assert.match(judged.stdout, /passed: accuracy >= 0\.9, found 1/)

  const rows = await file('rows.csv', 'sensor_1,sensor_2\n0,1\n2.0,-1\nx,1\n')
  const predicted = await run(['predict', rows, ...name])
  assert.equal(predicted.stdout, 'class,error\r\n0.0,\r\n1.0,\r\n,column sensor_1: not a number\r\n')
  const good = await file('good.csv', 'sensor_1,sensor_2\n0,1\n2.0,-1\n')
  const asJson = await run(['predict', good, ...name, '--json'])
  assert.equal(asJson.stdout, '{"class":[0.0,1.0]}\n')
})

test('evaluate exits with 1 when a figure is not good enough, of a table or out of fold', async (t) => {
  const { run, file } = await openShell(t)
  const name = ['--name', 'sensors']
  await run(['train', await file('data.csv', sensors(80)), ...name, '--label', 'state'])
  const wrong = await file(
    'wrong.csv',
    sensors(40, (i) => (i + 1) % 2)
  )
  const judged = await run(['evaluate', wrong, ...name, '--min-accuracy', '0.9', '--json'])
  assert.equal(judged.status, 1)
  const { passed, checks, figures } = JSON.parse(judged.stdout)
  assert.deepEqual([passed, figures.accuracy], [false, 0])
  assert.deepEqual(checks, [{ figure: 'accuracy', wanted: '>= 0.9', found: 0, passed: false }])
  const outOfFold = await run(['evaluate', ...name, '--min-macro-f1', '0.5', '--max-calibration-error', '0'])
  assert.equal(outOfFold.status, 1)
  assert.match(outOfFold.stdout, /out of fold/)
  assert.match(outOfFold.stdout, /passed: macroF1/)
  assert.match(outOfFold.stdout, /FAILED: calibrationError/)
})

test('train exits with 1 when the version is worse than the live one and so does not answer', async (t) => {
  const { run, file } = await openShell(t)
  const args = ['--name', 'sensors', '--label', 'state']
  await run(['train', await file('good.csv', sensors(80)), ...args])
  // The same rows, of which some have the other label: the others are then judged wrong.
  const noisy = await file(
    'noisy.csv',
    sensors(80, (i) => (i < 70 && i % 10 > 1 ? 0 : i % 2))
  )
  const worse = await run(['train', noisy, ...args])
  assert.equal(worse.status, 1, worse.stdout)
  assert.match(worse.stdout, /It is kept and does not answer: of \d+ samples/)
  assert.equal((await run(['train', noisy, ...args, '--force'])).status, 0)
})

test('a service on the same DATA_DIR answers by the version that was trained here, from its next request on', async (t) => {
  const { run, file, dataDir } = await openShell(t)
  const { ask } = await openMentorApp(t, {}, dataDir)
  const payload = { sensor_1: [0, 2], sensor_2: [1, -2] }
  const predict = async () => ask({ method: 'POST', url: '/v1/classifiers/sensors/predict', payload })
  assert.equal((await predict()).statusCode, 404)
  const trained = await run(['train', await file('data.csv', sensors(40)), '--name', 'sensors', '--label', 'state'])
  assert.match(trained.stdout, /also of a service that runs on this DATA_DIR/)
  assert.equal((await predict()).body, '{"class":[0.0,1.0]}')
})

test('a model that was brought can be judged by a table', async (t) => {
  const { run, file, dataDir } = await openShell(t)
  const { ask } = await openMentorApp(t, { ONNX_TIME_LIMIT_MS: '60000' }, dataDir)
  const form = new FormData()
  const features = ['a', 'b', 'c'].map((name) => ({ name, type: 'number' }))
  form.append('model', new Blob([new Uint8Array(linearModel())]), 'model.onnx')
  form.append('signature', JSON.stringify({ features, label: { name: 'y', type: 'text' }, classes: ['up', 'down'] }))
  const encoded = new Response(form)
  const headers = { 'content-type': encoded.headers.get('content-type') ?? '' }
  const payload = Buffer.from(await encoded.arrayBuffer())
  const brought = await ask({ method: 'PUT', url: '/v1/classifiers/brought/versions', payload, headers })
  assert.equal(brought.statusCode, 200, brought.body)
  const table = await file('test.csv', 'a,b,c,y\n2,0,0,up\n0,2,0,down\n3,1,0,down\n')
  const judged = await run(['evaluate', table, '--name', 'brought', '--json'], { ONNX_TIME_LIMIT_MS: '60000' })
  assert.equal(judged.status, 0, judged.stderr)
  assert.equal(JSON.parse(judged.stdout).figures.accuracy, 2 / 3)
})

test('what cannot be done is said on standard error, and ends with 2', async (t) => {
  const { run, file, folder } = await openShell(t)
  const table = await file('data.csv', sensors(40))
  const name = ['--name', 'sensors']
  await run(['train', table, ...name, '--label', 'state'])
  const faulty = await file('faulty.csv', 'sensor_1,sensor_2,state\n1,2,0\nx,2,1\n1,2,7\n')
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /train, evaluate or predict is wanted/],
    [['train', ...name], /a table is wanted/],
    [['train', table], /--name is wanted/],
    [['train', table, '--name', '../x'], /--name is wanted/],
    [['train', table, table, ...name], /more were given/],
    [['train', table, ...name, '--version', '1'], /--version is not for train/],
    [['train', table, ...name, '--no-such'], /no-such/],
    [['train', table, ...name, '--c', 'much', '--label', 'state'], /c: /],
    [
      ['train', table, ...name],
      /the table lacks the column of labels; it has 3 columns, separated by comma\n {2}label: required field/
    ],
    [['train', join(folder, 'none.csv'), ...name], /Cannot read the file .*none\.csv: there is none/],
    [['train', folder, ...name], /^Cannot read the file .*: it is a folder\n$/],
    [['evaluate', ...name, '--min-accuracy', '90'], /--min-accuracy is a share, 0 to 1/],
    [['evaluate', ...name, '--version', '7'], /No models found for classifier sensors of version 7/],
    [['evaluate', '--name', 'other'], /No models found for classifier other/],
    [
      ['evaluate', faulty, ...name],
      /sensor_1: row 2: not a number[^]*state: row 3: a label that the version was not trained on/
    ],
    [['evaluate', await file('short.csv', 'sensor_1,state\n1,0\n'), ...name], /sensor_2: required field/],
    [['predict', faulty, ...name, '--top-k', '17'], /--top-k is a whole number, 1 to 16/],
    [['predict', faulty, ...name, '--json'], /sensor_1: row 2: not a number/]
  ]
  for (const [args, reason] of cases) {
    const { status, stderr } = await run(args)
    assert.match(stderr, reason)
    assert.equal(status, 2)
  }
  const settings = await run(['evaluate', ...name], { PORT: 'x' })
  assert.equal(settings.status, 2)
  assert.match(settings.stderr, /PORT: want an integer/)
  const interrupted = await run(['train', table, ...name, '--label', 'state'], {}, AbortSignal.abort())
  assert.deepEqual([interrupted.status, interrupted.stderr], [2, 'Interrupted\n'])
})

test('tables as spreadsheets write them: read, or refused with the option that reads them', async (t) => {
  const { run, file } = await openShell(t)
  const table =
    'Text;State;\r\ngarage für Gäste;park;\ncafé offen;essen;\rwo ist die Garage;park;\r\n;;\r\nwarmes Essen;essen;\r\n'
  const path = await file('western.csv', '')
  await writeFile(path, Buffer.from(table, 'latin1'))
  const train = ['train', path, '--name', 'letters', '--label', 'state', '--force']
  const refused = await run(train)
  assert.equal(refused.status, 2)
  assert.match(refused.stderr, /line 2 is not UTF-8.*--charset windows-1252/)
  assert.match((await run([...train, '--charset', 'klingon'])).stderr, /--charset is none that is known/)
  const trained = await run([...train, '--charset', 'windows-1252'])
  assert.equal(trained.status, 0, trained.stderr)
  assert.match(
    trained.stdout,
    /4 rows and 2 classes.*\n.*\nleft out: 1 rows without a value\nleft out, without a value: column 3\n/
  )
  const rows = await file('rows.csv', '\uFEFFTEXT;note\r\ngarage;1\ncafé;2\r;\r\n')
  const predict = ['predict', rows, '--name', 'letters']
  assert.equal((await run(predict)).stdout, 'class,error\r\npark,\r\nessen,\r\n')
  const asJson = await run([...predict, '--json'])
  assert.deepEqual(
    [asJson.stdout, asJson.stderr],
    ['{"class":["park","essen"]}\n', 'left out: 1 rows without a value\n']
  )
  const judged = await run(['evaluate', path, '--name', 'letters', '--charset', 'latin1', '--json'])
  assert.equal(JSON.parse(judged.stdout).figures.questionCount, 4, judged.stdout)
})

test('help tells of every option', async (t) => {
  const { run } = await openShell(t)
  for (const args of [['--help'], ['train', '-h'], ['help']]) {
    assert.deepEqual(await run(args), { status: 0, stdout: HELP, stderr: '' })
  }
})

const warningEncoding: CreateEncoding = (config, log) => {
  log.warn({ workers: 1 }, 'the encoder is slow')
  return createEncoding(config, log)
}

test('a warning at a terminal is a line for people, above the progress; LOG_FORMAT has its way', async (t) => {
  const { file, dataDir } = await openShell(t)
  const table = await file('data.csv', sensors(40))
  const run = async (isTTY: boolean, env: Record<string, string>): Promise<string> => {
    const said: string[] = []
    const stderr = { isTTY, write: (text: string) => said.push(text) }
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done() })
    const args = ['train', table, '--name', 'sensors', '--label', 'state', '--force']
    const status = await runCommand(args, {
      env: { DATA_DIR: dataDir, ...env },
      stdout,
      stderr,
      createEncoding: warningEncoding,
      signal: new AbortController().signal
    })
    assert.equal(status, 0)
    return said.join('').replaceAll('\r\u001B[K', '<clear>')
  }
  const line = String.raw`\d\d:\d\d:\d\d WARN {2}the encoder is slow {2}workers=1\n`
  assert.match(await run(true, {}), new RegExp(`^<clear>${line}<clear>[A-Z]`))
  assert.match(await run(false, { LOG_FORMAT: 'pretty' }), new RegExp(`^${line}[A-Z]`))
  assert.doesNotMatch(await run(true, { LOG_FORMAT: 'json', LOG_LEVEL: 'error' }), /slow/)
})
