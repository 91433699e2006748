/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// The Grafana dashboard and the alert rules of ops/ name only metrics, and labels of them, that a running service shows.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startService } from '../app/service-process.ts'

const ROOT = join(import.meta.dirname, '../..')
const ENTRY = fileURLToPath(new URL('../app/service-stand-in.ts', import.meta.url))

/** Names of PromQL that look like metrics or labels. */
const WORDS = new Set(['by', 'le', 'sum', 'max', 'rate', 'increase', 'topk', 'histogram_quantile'])

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}

/** Every metric with the labels of its series, after some requests. */
async function shownMetrics(t: TestContext): Promise<Map<string, Set<string>>> {
  const port = await freePort()
  const service = startService(t, ENTRY, { API_SECRET_KEY: 'key-one', METRICS_PORT: String(port) })
  const origin = String((await service.logged('listening'))['address'])
  await service.logged('ready')
  const headers = { authorization: 'Bearer key-one' }
  for (const path of ['/v1/encode?query=a', '/nowhere', '/questions?mentor=m&query=q']) {
    await (await fetch(origin + path, { headers })).text()
  }
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const metrics = new Map<string, Set<string>>()
  for (const [, name = '', kind] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm)) {
    for (const suffix of kind === 'histogram' ? ['_bucket', '_sum', '_count'] : [''])
      metrics.set(name + suffix, new Set())
  }
  for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)\{([^}]*)\}/gm)) {
    for (const [, label = ''] of labels.matchAll(/(\w+)=/g)) metrics.get(name)?.add(label)
  }
  // Those without a series yet, as docs/metrics.md tells.
  const page = await readFile(join(ROOT, 'docs/metrics.md'), 'utf8')
  for (const [, name = '', by = ''] of page.matchAll(/^\| `(\w+)`\s+\| \w+ by ([^|]+) \|/gm)) {
    for (const [, label = ''] of by.matchAll(/`(\w+)`/g)) metrics.get(name)?.add(label)
  }
  return metrics
}

/** What an expression names that there is not. */
function unknownNames(expression: string, metrics: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const bare = expression.replaceAll(/"[^"]*"/g, '""').replaceAll(/\[[^\]]*\]/g, '')
  const named = [...bare.matchAll(/\b[a-z]\w*(?=\W|$)/g)].map(([name]) => name)
  const used = named.filter((name) => metrics.has(name))
  if (used.length === 0) return ['no metric at all']
  const labels = new Set(used.flatMap((name) => [...(metrics.get(name) ?? [])]))
  return named.filter((name) => !metrics.has(name) && !WORDS.has(name) && !labels.has(name))
}

test('the dashboard and the alerts name only metrics and labels that there are', async (t) => {
  const metrics = await shownMetrics(t)
  assert.deepEqual(unknownNames('sum by (colour) (rate(sbert_http_requests_total[5m]))', metrics), ['colour'])
  assert.deepEqual(unknownNames('rate(sbert_http_requests_totals[5m])', metrics), ['no metric at all'])
  const alerts = await readFile(join(ROOT, 'ops/prometheus-alerts.yaml'), 'utf8')
  const ofAlerts = [...alerts.matchAll(/^ {8}expr: (.+)$/gm)].map(([, expression = '']) => expression)
  assert.equal(ofAlerts.length, alerts.match(/^ {6}- alert: /gm)?.length)
  const dashboard: { panels: { targets: { expr: string; legendFormat: string }[] }[] } = JSON.parse(
    await readFile(join(ROOT, 'ops/grafana-dashboard.json'), 'utf8')
  )
  const targets = dashboard.panels.flatMap((panel) => panel.targets)
  assert.ok(ofAlerts.length > 8 && targets.length > 20)
  for (const expression of [...ofAlerts, ...targets.map(({ expr }) => expr)]) {
    assert.deepEqual(unknownNames(expression, metrics), [], expression)
  }
})
