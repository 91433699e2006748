/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Condition, Statement } from './iam-simulation.ts'

const run = promisify(execFile)
const TERRAFORM = fileURLToPath(new URL('../../terraform', import.meta.url))
const LIMIT_MS = 600_000

/** A resource or data source, as a plan or state of a mocked run has it. */
export interface MockedResource {
  readonly address: string
  readonly type: string
  readonly values: Readonly<Record<string, unknown>>
}

interface Module {
  readonly resources?: readonly MockedResource[]
  readonly child_modules?: readonly Module[]
}

/** A line of `terraform test -json -verbose`. */
interface Line {
  readonly type: string
  readonly '@testrun'?: string
  readonly '@message': string
  readonly test_plan?: {
    resource_changes?: readonly { address: string; type: string; change: { after: Record<string, unknown> | null } }[]
  }
  readonly test_state?: { root_module?: Module }
}

/**
 * Runs a test of a stack against its mocked provider, and gives what the run planned or made.
 * @param stack folder under terraform/
 * @param args more of `terraform test`
 * @param testRun name of the run
 */
export async function mockedResources(
  stack: string,
  args: readonly string[],
  testRun: string
): Promise<readonly MockedResource[]> {
  const command = [`-chdir=${TERRAFORM}/${stack}`, 'test', '-json', '-verbose', ...args]
  const { stdout } = await run('terraform', command, { maxBuffer: 1 << 29, timeout: LIMIT_MS }).catch(
    (error: { stdout?: string }) => {
      throw new Error(`terraform test failed:\n${messagesIn(error.stdout ?? '')}`, { cause: error })
    }
  )
  const lines = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Line => JSON.parse(line))
  for (const line of lines) {
    if (line['@testrun'] !== testRun) continue
    if (line.test_plan !== undefined) {
      const changes = line.test_plan.resource_changes ?? []
      return changes.map(({ address, type, change }) => ({ address, type, values: change.after ?? {} }))
    }
    if (line.test_state?.root_module !== undefined) return resourcesIn(line.test_state.root_module)
  }
  throw new Error(`terraform test had no run ${testRun}`)
}

function messagesIn(output: string): string {
  return output.replaceAll(/^.*"@level":"info".*\n?/gm, '').slice(0, 4000)
}

function resourcesIn(module: Module): MockedResource[] {
  return [...(module.resources ?? []), ...(module.child_modules ?? []).flatMap((child) => resourcesIn(child))]
}

/** The statements of an aws_iam_policy_document. */
export function statementsOf(resources: readonly MockedResource[], address: string): readonly Statement[] {
  const document = resources.find((resource) => resource.address === `data.aws_iam_policy_document.${address}`)
  if (document === undefined) throw new Error(`There is no policy document ${address}`)
  return listOf(document.values['statement']).map((statement) => ({
    effect: statement['effect'] === 'Deny' ? 'Deny' : 'Allow',
    actions: textsOf(statement['actions']),
    resources: textsOf(statement['resources']),
    notResources: textsOf(statement['not_resources']),
    conditions: listOf(statement['condition']).map((condition): Condition => ({
      test: String(condition['test']),
      variable: String(condition['variable']),
      values: textsOf(condition['values'])
    }))
  }))
}

/** A list of blocks. */
export function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value : []
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}
