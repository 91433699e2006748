/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canRunNative, chooseGraph, detectCpu, usableCores } from '../../src/embedding/cpu.ts'

function cpu(architecture: string, ...features: string[]) {
  return { architecture, model: 'as told', features: new Set(features) }
}

test('chooseGraph() takes exact int8 only where byte products are added exactly', () => {
  assert.equal(chooseGraph('int8', cpu('x64', 'avx2', 'avx512_vnni'), true), 'int8')
  assert.equal(chooseGraph('int8', cpu('x64', 'avx2', 'avx_vnni'), true), 'int8')
  assert.equal(chooseGraph('int8', cpu('x64', 'avx512f', 'amx_int8'), true), 'int8')
  assert.equal(chooseGraph('int8', cpu('arm64'), true), 'int8')
  assert.equal(chooseGraph('int8', cpu('x64', 'avx2', 'avx512f'), true), 'int8-saturation-safe')
  assert.equal(chooseGraph('int8', cpu('x64'), true), 'int8-saturation-safe')
  assert.equal(chooseGraph('fp32', cpu('x64'), true), 'fp32')
})

test('chooseGraph() takes the native encoder where it was compiled and where the CPU has all that it is made of', () => {
  const features = ['avx512f', 'avx512bw', 'avx512vl', 'avx512dq', 'avx512_vnni', 'fma', 'f16c']
  assert.equal(chooseGraph('int8', cpu('x64', ...features), true), 'int8-native')
  assert.equal(chooseGraph('int8', cpu('x64', ...features), false), 'int8')
  assert.equal(chooseGraph('fp32', cpu('x64', ...features), true), 'fp32')
  assert.equal(canRunNative(cpu('arm64', ...features)), false)
  for (const missing of features) {
    const others = features.filter((feature) => feature !== missing)
    assert.equal(canRunNative(cpu('x64', ...others)), false, `without ${missing}`)
  }
})

test('detectCpu() knows this machine', () => {
  const { architecture, model } = detectCpu()
  assert.equal(architecture, process.arch)
  assert.notEqual(model, '')
})

function files(texts: Readonly<Record<string, string>>): (path: string) => string | undefined {
  return (path) => texts[path]
}

for (const [what, cores, texts] of [
  ['no cgroups', 8, {}],
  ['no limit, version 2', 8, { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' }],
  ['a container, version 2', 2, { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '250000 100000\n' }],
  [
    'a group around ours, version 2',
    3,
    {
      '/proc/self/cgroup': '0::/pods/ours\n',
      '/sys/fs/cgroup/pods/cpu.max': '300000 100000\n',
      '/sys/fs/cgroup/pods/ours/cpu.max': 'max 100000\n'
    }
  ],
  ['less than a core', 1, { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '50000 100000\n' }],
  [
    'version 1',
    4,
    {
      '/proc/self/cgroup': '5:memory:/ours\n4:cpu,cpuacct:/ours\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/cpu/ours/cpu.cfs_quota_us': '400000\n',
      '/sys/fs/cgroup/cpu/ours/cpu.cfs_period_us': '100000\n'
    }
  ]
] as const) {
  test(`usableCores() with ${what} is ${cores} of 8`, () => {
    assert.equal(usableCores(8, files(texts)), cores)
  })
}
