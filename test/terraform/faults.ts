/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/*
 * The test of the test: puts mistakes that were made once, and their kind, back into a copy of the repository, one by one, and wants the check
 * that is to hold them off to fail, by the very promise that is broken. `make test-terraform-faults` runs it, in some twenty minutes.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const LIMIT_MS = 600_000
/** Too large to copy, and not changed by any fault. */
const SHARED = ['node_modules', 'models', 'web/dist', '.cache']
const STACKS = ['terraform', 'terraform/account', 'terraform/endpoints']

/** Parts of `make test-terraform`, small enough to run once a fault. */
const CHECKS = {
  /** Its first stack is where a mistake of the script itself shows. */
  script: ['tools/check-terraform.sh', 'stacks'],
  stage: ['terraform', '-chdir=terraform', 'test', '-no-color', '-filter=tests/stage.tftest.hcl'],
  modules: ['terraform', '-chdir=terraform', 'test', '-no-color', '-filter=tests/modules.tftest.hcl'],
  account: ['terraform', '-chdir=terraform/account', 'test', '-no-color'],
  /** What a stage becomes. */
  plan: nodeTest('test/terraform/promises.ts', 'stage dev:'),
  /** What roles may do, and which images stay. */
  roles: nodeTest('test/terraform/promises.ts'),
  edge: nodeTest('test/edge/runtime-features.test.ts'),
  deploy: nodeTest('test/tools/deploy/*.test.ts'),
  texts: nodeTest('test/terraform/stage.test.ts'),
  workflows: nodeTest('test/github/workflows.test.ts'),
  'check-terraform': nodeTest('test/tools/check-terraform.test.ts')
} as const

function nodeTest(files: string, names?: string): readonly string[] {
  const pattern = names === undefined ? [] : [`--test-name-pattern=${names}`]
  return [process.execPath, '--test', ...pattern, files]
}

interface Fault {
  readonly file: string
  /** What is right, once in the file. */
  readonly from: string | RegExp
  readonly to: string
  readonly check: keyof typeof CHECKS
  /** The promise by which the check fails. */
  readonly says: string
}

/** By what went wrong; in the order of the areas: edge, check, roles, account, scaling, deployment, images, errors, the rest. */
const FAULTS: Readonly<Record<string, Fault>> = {
  'the edge function has a loop that CloudFront does not know': {
    file: 'edge/authorize.js',
    from: /for \(let index = 0; index < KNOWN_PARAMETERS\.length; index \+= 1\) \{\n {4}const name = KNOWN_PARAMETERS\[index\]/,
    to: 'for (const name of KNOWN_PARAMETERS) {',
    check: 'edge',
    says: 'authorize.js uses only language features'
  },
  'a check runs in an if, where bash forgets set -e': {
    file: 'tools/check-terraform.sh',
    from: '    "$@"\n  ) 3>&1',
    to: '    if "$@"; then :; else exit 1; fi\n  ) 3>&1',
    check: 'check-terraform',
    says: 'check-terraform.sh fails when validate does'
  },
  'validate looks at the tests, which give a module the provider that it takes by alias': {
    file: 'tools/check-terraform.sh',
    from: 'validate -no-color -no-tests',
    to: 'validate -no-color',
    check: 'script',
    says: 'Provider configuration not present'
  },
  'plan cannot read what Elastic Beanstalk reads with its rights': {
    file: 'terraform/account/apply.tf',
    from: /,\n {6}\[for arn in local\.beanstalk_buckets : "\$\{arn\}\/\*"\]\n {4}\)\n {2}\}\n\n {2}statement \{\n {4}sid {7}= "DecryptState"/,
    to: ')\n  }\n\n  statement {\n    sid       = "DecryptState"',
    check: 'roles',
    says: 'plan and apply read what refreshing an environment'
  },
  'apply cannot read the pages of errors': {
    file: 'terraform/account/apply.tf',
    from: ', "arn:${local.partition}:s3:::${local.names[each.key]}-errors-*/*"]',
    to: ']',
    check: 'roles',
    says: 'plan and apply read what refreshing an environment'
  },
  'deploy cannot write to the bucket of Elastic Beanstalk': {
    file: 'terraform/account/github.tf',
    from: '"s3:GetObjectAcl", "s3:PutObject", "s3:PutObjectAcl"',
    to: '"s3:GetObjectAcl"',
    check: 'roles',
    says: 'plan and apply read what refreshing an environment'
  },
  'the canary reserves concurrency, which a new account has none of': {
    file: 'terraform/canary.tf',
    from: 'Timeout       = 30',
    to: 'Timeout       = 30\n          ReservedConcurrentExecutions = 1',
    check: 'plan',
    says: 'no concurrency of functions is reserved'
  },
  'zones are taken by name, those without VPC origins too': {
    file: 'terraform/modules/network/main.tf',
    from: '  exclude_zone_ids = var.excluded_zone_ids\n',
    to: '',
    check: 'modules',
    says: 'Zones that CloudFront does not reach are left out, by id'
  },
  'a given subnet may be where VPC origins do not exist': {
    file: 'terraform/main.tf',
    from: '!contains(local.zone_ids_without_vpc_origins, self.availability_zone_id)',
    to: 'self.availability_zone_id != ""',
    check: 'stage',
    says: 'a_given_subnet_where_cloudfront_has_no_vpc_origins_is_refused"... fail'
  },
  'no setting carries the desired count': {
    file: 'terraform/web.tf',
    from: 'for_each = local.scheduled_options',
    to: 'for_each = { for name, option in local.scheduled_options : name => option if option.name != "DesiredCapacity" }',
    check: 'plan',
    says: 'a desired count of the web tier is among its settings'
  },
  'CPU is published every five minutes': {
    file: 'terraform/web.tf',
    from: '"${local.load_period_seconds / 60} minute"',
    to: '"5 minute"',
    check: 'plan',
    says: 'CPU is published as often as the alarms look at it'
  },
  'CPU that is not known yet counts as none, so that the alarm never fires': {
    file: 'terraform/scaling.tf',
    from: 'FILL(cpu, REPEAT)',
    to: 'FILL(cpu, 0)',
    check: 'plan',
    says: 'CPU is published as often as the alarms look at it'
  },
  'workers get the task definition that runs, without Terraform’s newest settings': {
    file: 'tools/deploy/aws-platform.ts',
    from: "'describe-task-definition', '--task-definition', `${this.#at.name}-worker`]",
    to: "'describe-task-definition', '--task-definition', String(fieldOf(await this.#service(), 'taskDefinition'))]",
    check: 'deploy',
    says: 'newest task definition with the new image'
  },
  'workers that the circuit breaker put back count as deployed': {
    file: 'tools/deploy/aws-platform.ts',
    from: 'if (found !== task) throw',
    to: 'if (found === "") throw',
    check: 'deploy',
    says: 'workers that ECS puts back are an error'
  },
  'a role is made without the boundary': {
    file: 'terraform/access.tf',
    from: /(resource "aws_iam_role" "web" \{[\s\S]*?)\n {2}permissions_boundary = local\.permissions_boundary_arn/,
    to: '$1',
    check: 'plan',
    says: 'roles stay within the boundary of the stage'
  },
  'apply may make roles without the boundary': {
    file: 'terraform/account/apply.tf',
    from: /(sid {7}= "BoundedRoles"\n[\s\S]*?)\n\n {4}condition \{[\s\S]*?\n {4}\}/,
    to: '$1',
    check: 'roles',
    says: 'no workflow has a way to administrator'
  },
  'apply may attach any policy': {
    file: 'terraform/account/apply.tf',
    from: /\n\n {4}condition \{\n {6}test {5}= "ArnEquals"\n {6}variable = "iam:PolicyARN"\n.*\n {4}\}/,
    to: '',
    check: 'roles',
    says: 'no workflow has a way to administrator'
  },
  'roles of dev reach prod’s tables': {
    file: 'terraform/account/apply.tf',
    from: /"arn:\$\{local\.partition\}:dynamodb:\$\{local\.regional\}:table\/\$\{local\.names\[each\.key\]\}-\*",\n {6}"arn:\$\{local\.partition\}:events/,
    to: '"arn:${local.partition}:dynamodb:${local.regional}:table/${var.application_name}-*",\n      "arn:${local.partition}:events',
    check: 'roles',
    says: 'apply changes all of its stage, and nothing of another'
  },
  'roles of dev reach prod’s stacks': {
    file: 'terraform/account/github.tf',
    from: /(sid {7}= "Stack"\n[\s\S]*?)\n\n {4}condition \{[\s\S]*?\n {4}\}/,
    to: '$1',
    check: 'roles',
    says: 'deploy changes nothing of another stage'
  },
  'roles of dev reach prod’s key value store': {
    file: 'terraform/account/github.tf',
    from: 'resources = [statement.value]',
    to: 'resources = ["*"]',
    check: 'roles',
    says: 'deploy changes nothing of another stage, its key value store neither'
  },
  'any branch may take the environment dev': {
    file: 'terraform/account/github.tf',
    from: '"deploy-${stage}" => "repo:${var.repository}:environment:${stage}:${local.main}"',
    to: '"deploy-${stage}" => "repo:${var.repository}:environment:${stage}"',
    check: 'account',
    says: 'any branch may name an environment'
  },
  'plan and apply may read the table by PartiQL': {
    file: 'terraform/account/apply.tf',
    from: '"dynamodb:PartiQLSelect", ',
    to: '',
    check: 'roles',
    says: 'plan and apply read no data and no secret'
  },
  'apply may replace the canary, which reads the key': {
    file: 'terraform/account/apply.tf',
    from: /"lambda:CreateFunction",\n {6}"lambda:InvokeFunction", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"/,
    to: '"lambda:CreateFunction"',
    check: 'roles',
    says: 'apply does not come at the key by way of the canary'
  },
  'a roll back leaves the new revision at the edge': {
    file: 'tools/deploy/deployment.ts',
    from: '  await platform.setRevision(before.revision)\n',
    to: '',
    check: 'deploy',
    says: 'takes all of the stage back when web fails, the edge’s revision too'
  },
  'answers stay shared while instances of both versions answer': {
    file: 'tools/deploy/deployment.ts',
    from: '  if (!keepsCache) await platform.setRevision(undefined)\n',
    to: '',
    check: 'deploy',
    says: 'deploy() brings in web tier, workers, function and revision'
  },
  'of all images fifty are kept': {
    file: 'terraform/account/main.tf',
    from: 'countNumber = 32 * var.kept_version_count',
    to: 'countNumber = 50',
    check: 'roles',
    says: 'no image expires that a stage runs'
  },
  'what prod runs has no rule of its own': {
    file: 'terraform/account/main.tf',
    from: 'tagPrefixList = ["deployed-${stage}-"]',
    to: 'tagPrefixList = ["deployed-"]',
    check: 'roles',
    says: 'no image expires that a stage runs'
  },
  'the firewall’s JSON is referenced by no rule': {
    file: 'terraform/modules/edge/firewall.tf',
    from: /\n {18}custom_response \{\n {20}response_code {12}= 403\n {20}custom_response_body_key = "blocked"\n {18}\}\n/,
    to: '',
    check: 'plan',
    says: 'every error of the firewall and every page is JSON'
  },
  'a client that does not say its name is refused': {
    file: 'terraform/modules/edge/firewall.tf',
    from: /"UserAgent_BadBots_HEADER", ([\s\S]*?)"NoUserAgent_HEADER", /,
    to: '"UserAgent_BadBots_HEADER", "NoUserAgent_HEADER", $1',
    check: 'modules',
    says: 'A plain HTTP client may leave its name out'
  },
  'an address that is too long is answered in HTML': {
    file: 'terraform/modules/edge/main.tf',
    from: /\n {4}414 = \{[^\n]*/,
    to: '',
    check: 'modules',
    says: 'Only errors that CloudFront makes itself have a page'
  },
  'pages of errors are HTML': {
    file: 'terraform/modules/edge/main.tf',
    from: 'application/json; charset=utf-8',
    to: 'text/html',
    check: 'modules',
    says: 'Pages of errors are JSON in the service'
  },
  'errors are held at the edge for ten seconds': {
    file: 'terraform/modules/edge/main.tf',
    from: 'error_caching_min_ttl = 0',
    to: 'error_caching_min_ttl = 10',
    check: 'modules',
    says: 'No error is held'
  },
  'the lock file knows one platform': {
    file: 'terraform/account/.terraform.lock.hcl',
    from: /(?:\n {4}"zh:[0-9a-f]+",)+/,
    to: '',
    check: 'texts',
    says: 'every stack is locked to the same provider, for all platforms'
  },
  'as many instances at least as at most, and none may be replaced': {
    file: 'terraform/web.tf',
    from: 'tostring(min(var.web_instances.min, var.web_instances.max - 1))',
    to: 'tostring(var.web_instances.min)',
    check: 'stage',
    says: 'CloudFormation refuses as many as the most'
  },
  'a worker may not protect its task': {
    file: 'terraform/access.tf',
    from: '"ecs:GetTaskProtection", "ecs:UpdateTaskProtection"',
    to: '"ecs:GetTaskProtection"',
    check: 'stage',
    says: 'A worker may protect its own task'
  },
  'Elastic Beanstalk is not told that instances are of ARM': {
    file: 'terraform/web.tf',
    from: 'local.web_is_arm ? {',
    to: 'false ? {',
    check: 'stage',
    says: 'Web tier and workers can be all of ARM'
  },
  'a stage asks for two approvals': {
    file: '.github/workflows/stage.yml',
    from: '    environment: ${{ inputs.stage }}\n',
    to: '    environment: ${{ inputs.stage }}\n    environment: ${{ inputs.stage }}\n',
    check: 'workflows',
    says: 'a stage asks for one approval'
  },
  'a prod that waits for approval blocks the others': {
    file: '.github/workflows/stage.yml',
    from: 'group: deploy-${{ inputs.stage }}',
    to: 'group: deploy',
    check: 'workflows',
    says: 'a stage that waits for it holds up no other'
  },
  'nginx waits longer than the balancer': {
    file: 'ebs/.platform/nginx/conf.d/service.conf',
    from: /proxy_read_timeout \d+s;/,
    to: 'proxy_read_timeout 130s;',
    check: 'texts',
    says: 'who waits for the service waits longer the farther away it is'
  },
  'the free gateway endpoints come last, after NAT was billed': {
    file: 'terraform/modules/network/main.tf',
    from: 'for_each = toset(["s3", "dynamodb"])',
    to: 'for_each = toset([])',
    check: 'modules',
    says: 'The endpoints that cost nothing are there from the start'
  },
  'nobody is told when workers do not run': {
    file: 'terraform/alarms.tf',
    from: '    workers-missing = {',
    to: '    workers-gone = {',
    check: 'plan',
    says: 'someone is told when workers do not run'
  },
  'there is no budget': {
    file: 'terraform/alarms.tf',
    from: /(resource "aws_budgets_budget" "stage" \{\n {2}count = )[^\n]*/,
    to: '$1 0',
    check: 'plan',
    says: 'what the month costs'
  },
  'deploy has a way to a shell on an instance, which nobody thought of': {
    file: 'terraform/account/github.tf',
    from: '"ec2:Describe*", "elasticbeanstalk:Describe*"',
    to: '"ec2:Describe*", "ec2-instance-connect:SendSSHPublicKey", "elasticbeanstalk:Describe*"',
    check: 'roles',
    says: 'cloudsplaining finds in the workflows’ roles'
  },
  'an image that nobody signed is deployed': {
    file: '.github/workflows/stage.yml',
    from: '            cosign verify "${signer[@]}" "$image" >/dev/null\n',
    to: '',
    check: 'workflows',
    says: 'a stage verifies what it gets before anything of it changes'
  }
}

let copy = ''

before(async () => {
  copy = await mkdtemp(join(tmpdir(), 'terraform-faults-'))
  const { stdout } = await run('git', ['ls-files', '-co', '--exclude-standard'], { cwd: ROOT, maxBuffer: 1 << 24 })
  const folders = new Set(['terraform', 'edge', 'ebs', 'src', 'test', 'tools', 'ops', '.github', 'docs'])
  const wanted = stdout.split('\n').filter((path) => !path.includes('/') || folders.has(path.split('/')[0] ?? ''))
  for (const path of wanted)
    if (path !== '') await cp(join(ROOT, path), join(copy, path), { force: true }).catch(ignoreDeleted)
  for (const path of SHARED) {
    await mkdir(dirname(join(copy, path)), { recursive: true })
    await symlink(join(ROOT, path), join(copy, path))
  }
  // Initialised by check-terraform.sh; its links to the provider stay links.
  for (const stack of STACKS)
    await cp(join(ROOT, stack, '.terraform'), join(copy, stack, '.terraform'), {
      recursive: true,
      verbatimSymlinks: true
    })
})

after(async () => rm(copy, { recursive: true, force: true }))

for (const [title, { file, from, to, check, says }] of Object.entries(FAULTS)) {
  test(`make test-terraform fails when ${title}`, async (t) => {
    const path = join(copy, file)
    const right = await readFile(path, 'utf8')
    assert.equal(countOf(from, right), 1, `want what is right once in ${file}`)
    const wrong = typeof from === 'string' ? right.replace(from, () => to) : right.replace(from, to)
    t.after(() => writeFile(path, right))
    await writeFile(path, wrong)
    const [program = '', ...rest] = CHECKS[check]
    // Of Node.js's tests the one that is to fail is enough, unless it is within another. An option stands before the files.
    const isWhole = program !== process.execPath || check === 'plan'
    const args = isWhole ? rest : [`--test-name-pattern=${says.replaceAll(/[()]/g, '.')}`, ...rest]
    const { code, output } = await outcomeOf(program, args)
    assert.notEqual(code, 0, `the check ${check} passed`)
    assert(failuresIn(output).includes(says), `the check ${check} failed by another promise:\n${output.slice(-4000)}`)
  })
}

function countOf(wanted: string | RegExp, text: string): number {
  return typeof wanted === 'string'
    ? text.split(wanted).length - 1
    : [...text.matchAll(new RegExp(wanted.source, 'g'))].length
}

async function outcomeOf(program: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  // Else the tests that it runs take themselves for files of this test.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const options = { cwd: copy, env, timeout: LIMIT_MS, maxBuffer: 1 << 26 }
  return run(program, args, options).then(
    ({ stdout }) => ({ code: 0, output: stdout }),
    ({ code, stdout = '', stderr = '' }: { code?: number; stdout?: string; stderr?: string }) => ({
      code: code ?? -1,
      output: stdout + stderr
    })
  )
}

/** Without the promises that were kept, and with the words of a box of Terraform in one line. */
function failuresIn(output: string): string {
  return output
    .split('\n')
    .filter((line) => !/^\s*(?:✔|ok )|\.\.\. pass$/.test(line))
    .join('\n')
    .replaceAll(/\n[│\s]+/g, ' ')
}

function ignoreDeleted(error: { code?: string }): void {
  if (error.code !== 'ENOENT') throw error
}
