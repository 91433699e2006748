/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { API_KEY } from '../../server/test-app.ts'
import { startService } from '../../app/service-process.ts'
import { Edge, KeyValues, loadInNode, type CallerReply } from '../../edge/edge.ts'
import { buildTestApp } from '../../server/test-app.ts'

const MAIN = fileURLToPath(new URL('../../../tools/test-deployed/main.ts', import.meta.url))
const ENTRY = fileURLToPath(new URL('../../app/service-stand-in.ts', import.meta.url))

/** Runs the program against a stage. */
async function testDeployed(env: Record<string, string>): Promise<{ code: number | null; out: string }> {
  const child = execFile(process.execPath, [MAIN], { env: { PATH: process.env['PATH'], ...env } })
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: string) => (out += text))
  await once(child, 'close')
  return { code: child.exitCode, out }
}

async function listen(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert(address !== null && typeof address === 'object')
  return `http://127.0.0.1:${address.port}`
}

test('test-deployed: the service on this machine keeps its promises', async (t) => {
  const service = startService(t, ENTRY, { API_SECRET_KEY: API_KEY })
  const { address } = await service.logged('listening')
  const { code, out } = await testDeployed({ BASE_URL: `${String(address)}/`, API_KEY })
  assert.doesNotMatch(out, /FAILED/)
  assert.equal(code, 0)
  assert.equal(out.match(/^passed/gm)?.length, 7)
  assert.equal(out.match(/^left out/gm)?.length, 3)
})

test('test-deployed: through the edge, what CloudFront adds is checked too', async (t) => {
  const { app } = await buildTestApp(t)
  const edge = new Edge(await loadInNode(KeyValues.of([API_KEY])), app)
  const base = await listen(t, (request, response) => {
    const { method = 'GET', url = '/' } = request
    void (async () => {
      const isEncode = /^\/v1\/encode\/?(?:\?|$)/.test(url) && method === 'GET'
      const headers = headersOf(request)
      const reply = isEncode ? await edge.call({ url, headers }) : await direct()
      response.writeHead(reply.status, { ...pick(reply), 'x-cache': xCache(reply), 'x-amz-cf-id': '1' })
      response.end(reply.status === 304 ? undefined : reply.body)
      async function direct(): Promise<CallerReply> {
        const payload = Buffer.concat(await request.toArray())
        const answer = await app.inject({ method: method === 'POST' ? 'POST' : 'GET', url, headers, payload })
        return { status: answer.statusCode, headers: answer.headers, body: answer.body, from: 'service' }
      }
    })()
  })
  const { out } = await testDeployed({ BASE_URL: base, API_KEY })
  assert.equal(out.match(/^passed {2}at the edge/gm)?.length, 3, out)
})

test('test-deployed: a stage that lets everyone in, or answers in HTML, fails', async (t) => {
  const base = await listen(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>')
  })
  const { code, out } = await testDeployed({ BASE_URL: base, API_KEY })
  assert.equal(code, 1)
  assert.equal(out.match(/^FAILED/gm)?.length, 6)
})

test('test-deployed: a stage that cannot be reached fails, and says why', async () => {
  const { code, out } = await testDeployed({ BASE_URL: 'http://127.0.0.1:1', API_KEY })
  assert.equal(code, 1)
  assert.match(out, /FAILED {2}can be reached/)
})

test('test-deployed: without a key it says what is missing', async () => {
  const { code, out } = await testDeployed({})
  assert.equal(code, 2)
  assert.match(out, /API_KEY is not set/)
})

/** As CloudFront says where a reply comes from. */
function xCache(reply: CallerReply): string {
  if (reply.from === 'cache') return 'Hit from cloudfront'
  return reply.status >= 400 ? 'Error from cloudfront' : 'Miss from cloudfront'
}

function headersOf(request: IncomingMessage): Record<string, string> {
  const given = Object.entries(request.headers).filter(([name]) => name !== 'host' && name !== 'connection')
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]))
}

function pick(reply: CallerReply): Record<string, string> {
  const names = ['content-type', 'cache-control', 'etag', 'www-authenticate', 'x-model-revision']
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = reply.headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    })
  )
}
