/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usableCores } from '../../src/embedding/usable-cores.ts'

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
