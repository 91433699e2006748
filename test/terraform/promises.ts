/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/*
 * What each stage, as its .tfvars say it, and the account's roles have to keep: read from what Terraform plans against a mocked provider.
 * Run by tools/check-terraform.sh: it needs terraform and takes a minute, so it is no part of `npm test`.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { keptImages, type RepositoryImage } from './ecr-lifecycle.ts'
import { isAllowed, type Attempt, type Statement } from './iam-simulation.ts'
import { listOf, mockedResources, statementsOf, type MockedResource } from './mocked.ts'

const STAGES = ['dev', 'staging', 'prod'] as const
const ACCOUNT = '123456789012'
const ADMIN_ROLE = `arn:aws:iam::${ACCOUNT}:role/admin`
const ADMIN_POLICY = 'arn:aws:iam::aws:policy/AdministratorAccess'
/** Not counting white space, as IAM counts. */
const MAX_POLICY_CHARACTERS = 6144

// A stage as it is planned

for (const stage of STAGES) {
  test(`stage ${stage}: what it plans keeps the promises`, async (t) => {
    const args = ['-test-directory=promises', `-var-file=stages/${stage}.tfvars`]
    const resources = await mockedResources('.', args, 'stage')
    const settings = settingsOf(resources)
    const setting = (namespace: string, name: string) =>
      settings.find((one) => one.namespace === namespace && one.name === name)

    await t.test('a desired count of the web tier is among its settings', () => {
      assert(Number(setting('aws:autoscaling:scheduledaction', 'DesiredCapacity')?.value) >= 1)
    })
    await t.test('CPU is published as often as the alarms look at it', () => {
      assert.equal(setting('aws:autoscaling:launchconfiguration', 'MonitoringInterval')?.value, '1 minute')
      const alarms = resources.filter(({ address }) => address.startsWith('aws_cloudwatch_metric_alarm.web_load['))
      assert.equal(alarms.length, 2)
      for (const { values } of alarms) {
        for (const query of listOf(values['metric_query'])) {
          for (const metric of listOf(query['metric'])) assert.equal(metric['period'], 60)
          // As 0 a minute that is not there yet would keep the alarm from ever firing.
          assert.doesNotMatch(String(query['expression']), /FILL\(cpu, 0\)/)
        }
      }
    })
    await t.test('a rolling update leaves room below the most there may be', () => {
      const most = Number(setting('aws:autoscaling:asg', 'MaxSize')?.value)
      const inService = setting('aws:autoscaling:updatepolicy:rollingupdate', 'MinInstancesInService')?.value
      assert(Number(inService) < most, `${String(inService)} of ${most}`)
    })
    await t.test('no concurrency of functions is reserved, which a new account has none of to give', () => {
      const canary = resources.find(({ address }) => address === 'aws_cloudformation_stack.canary')
      assert.doesNotMatch(String(canary?.values['template_body']), /ReservedConcurrentExecutions/)
    })
    await t.test('roles stay within the boundary of the stage', () => {
      const roles = resources.filter(({ type }) => type === 'aws_iam_role')
      assert(roles.length >= 6)
      for (const { address, values } of roles) {
        assert.equal(
          values['permissions_boundary'],
          `arn:aws:iam::${ACCOUNT}:policy/sbert-service-boundary-${stage}`,
          address
        )
      }
    })
    await t.test('names and tags are those that the account’s roles hold on to', () => {
      for (const { address, type, values } of resources) {
        const { name, bucket, tags_all: tags } = values
        if (
          type === 'aws_iam_role' ||
          type === 'aws_sqs_queue' ||
          type === 'aws_dynamodb_table' ||
          type === 'aws_sns_topic'
        )
          assert.match(String(name), new RegExp(`^sbert-service-${stage}-`), address)
        if (type === 'aws_s3_bucket') assert.match(String(bucket), new RegExp(`^sbert-service-${stage}-`), address)
        if (typeof tags === 'object' && tags !== null && 'Stage' in tags) assert.equal(tags.Stage, stage, address)
      }
    })
    await t.test('a worker’s older revisions stay, for a roll back', () => {
      const definition = resources.find(({ address }) => address === 'aws_ecs_task_definition.worker')
      assert.equal(definition?.values['skip_destroy'], true)
    })
    await t.test('every error of the firewall and every page is JSON in the shape of the service', () => {
      const firewall = resources.find(({ type }) => type === 'aws_wafv2_web_acl')
      const bodies = listOf(firewall?.values['custom_response_body'])
      const referenced = new Set(JSON.stringify(firewall?.values['rule']).match(/"custom_response_body_key":"(\w+)"/g))
      assert.equal(bodies.length, 2)
      for (const body of bodies) {
        assert(
          referenced.has(`"custom_response_body_key":"${String(body['key'])}"`),
          `no rule answers with ${String(body['key'])}`
        )
        assertIsError(String(body['content']))
      }
      const pages = resources.filter(({ address }) => address.startsWith('module.edge.aws_s3_object.error['))
      assert.equal(pages.length, 3)
      for (const { values } of pages) assertIsError(String(values['content']))
    })
    await t.test('someone is told when workers do not run, and what the month costs', () => {
      const addresses = new Set(resources.map(({ address }) => address))
      assert(addresses.has('aws_cloudwatch_metric_alarm.stage["workers-missing"]'))
      const budget = resources.find(({ address }) => address === 'aws_budgets_budget.stage[0]')
      assert.deepEqual(listOf(budget?.values['cost_filter'])[0]?.['values'], [`user:Stage$${stage}`])
    })
  })
}

function protectionOf(stage: string): Attempt {
  return { action: 'ecs:UpdateTaskProtection', resource: regional('ecs', `task/sbert-service-${stage}/1`) }
}

interface Setting {
  readonly namespace: unknown
  readonly name: unknown
  readonly value: unknown
}

function settingsOf(resources: readonly MockedResource[]): readonly Setting[] {
  const environment = resources.find(({ address }) => address === 'aws_elastic_beanstalk_environment.web')
  const settings = listOf(environment?.values['setting'])
  assert(settings.length > 60)
  return settings.map(({ namespace, name, value }) => ({ namespace, name, value }))
}

function assertIsError(text: string): void {
  const body: unknown = JSON.parse(text)
  assert(typeof body === 'object' && body !== null)
  assert.deepEqual(Object.keys(body).toSorted(), ['code', 'error', 'message', 'statusCode'])
}

// The account's roles

/** More than AWS's ReadOnlyAccess gives, so that what is denied here is denied there. */
const READ_ONLY: Statement = {
  effect: 'Allow',
  actions: [
    '*:Get*',
    '*:List*',
    '*:Describe*',
    '*:BatchGet*',
    '*:View*',
    '*:Query',
    '*:Scan',
    '*:PartiQLSelect',
    '*:Receive*',
    '*:FilterLogEvents',
    '*:StartQuery',
    '*:StartLiveTail',
    '*:Export*'
  ],
  resources: ['*']
}

const EVERYTHING: Statement = { effect: 'Allow', actions: ['*'], resources: ['*'] }

let account: readonly MockedResource[] = []

before(async () => {
  account = await mockedResources('account', ['-filter=tests/account.tftest.hcl'], 'account')
})

function plan(): readonly Statement[] {
  return [READ_ONLY, ...statementsOf(account, 'plan')]
}

function deploy(stage: string): readonly Statement[] {
  return statementsOf(account, `deploy["${stage}"]`)
}

const APPLY_PARTS = ['guards', 'names', 'tags', 'edge', 'compute'] as const

function apply(stage: string): readonly Statement[] {
  return [READ_ONLY, ...APPLY_PARTS.flatMap((part) => statementsOf(account, `apply_${part}["${stage}"]`))]
}

function boundary(stage: string): readonly Statement[] {
  return statementsOf(account, `boundary["${stage}"]`)
}

function boundaryArn(stage: string): string {
  return `arn:aws:iam::${ACCOUNT}:policy/sbert-service-boundary-${stage}`
}

function bounded(stage: string): { 'iam:PermissionsBoundary': string } {
  return { 'iam:PermissionsBoundary': boundaryArn(stage) }
}

function regional(service: string, rest: string): string {
  return `arn:aws:${service}:us-east-1:${ACCOUNT}:${rest}`
}

/** Everybody whom a workflow may become. */
function workflowRoles(): readonly (readonly [name: string, policies: readonly Statement[]])[] {
  return [
    ['plan', plan()],
    ['build', statementsOf(account, 'build')],
    ...['dev', 'prod'].flatMap(
      (stage) =>
        [
          [`deploy-${stage}`, deploy(stage)],
          [`apply-${stage}`, apply(stage)]
        ] as const
    )
  ]
}

function assertDenied(policies: readonly Statement[], attempts: readonly Attempt[], who: string): void {
  for (const attempt of attempts) {
    assert(
      !isAllowed(policies, attempt),
      `${who} may ${attempt.action} on ${attempt.resource} ${JSON.stringify(attempt.context ?? {})}`
    )
  }
}

function assertAllowed(policies: readonly Statement[], attempts: readonly Attempt[], who: string): void {
  for (const attempt of attempts) {
    assert(
      isAllowed(policies, attempt),
      `${who} may not ${attempt.action} on ${attempt.resource} ${JSON.stringify(attempt.context ?? {})}`
    )
  }
}

function stageRole(stage: string, name = 'web'): string {
  return `arn:aws:iam::${ACCOUNT}:role/sbert-service-${stage}-${name}`
}

test('of AWS’s own policies workflows have ReadOnlyAccess alone, and the policies simulated here are all they have', () => {
  const attachments = account.filter(({ type }) => type === 'aws_iam_role_policy_attachment')
  const inline = account
    .filter(({ type }) => type === 'aws_iam_role_policy')
    .map(({ address }) => address.replace(/\[.*/, ''))
  assert.deepEqual([...new Set(inline)].toSorted(), [
    'aws_iam_role_policy.build',
    'aws_iam_role_policy.deploy',
    'aws_iam_role_policy.lifecycle',
    'aws_iam_role_policy.plan'
  ])
  const arns = new Set(attachments.map(({ values }) => String(values['policy_arn'])))
  assert.deepEqual([...arns].toSorted(), [
    `arn:aws:iam::${ACCOUNT}:policy/mock`,
    'arn:aws:iam::aws:policy/ReadOnlyAccess'
  ])
  const parts = account
    .filter(({ address }) => address.startsWith('aws_iam_policy.apply['))
    .map(({ values }) => String(values['name']))
  assert.deepEqual(
    parts.toSorted(),
    ['dev', 'prod']
      .flatMap((stage) => APPLY_PARTS.map((part) => `sbert-service-github-apply-${stage}-${part}`))
      .toSorted()
  )
})

test('no workflow has a way to administrator', () => {
  for (const [who, policies] of workflowRoles()) {
    const attempts: Attempt[] = [
      ...[
        'CreateUser',
        'CreateAccessKey',
        'CreateLoginProfile',
        'UpdateLoginProfile',
        'PutUserPolicy',
        'AttachUserPolicy',
        'AddUserToGroup'
      ].map((action) => ({ action: `iam:${action}`, resource: `arn:aws:iam::${ACCOUNT}:user/someone` })),
      ...['AttachGroupPolicy', 'PutGroupPolicy'].map((action) => ({
        action: `iam:${action}`,
        resource: `arn:aws:iam::${ACCOUNT}:group/some`
      })),
      ...['CreatePolicyVersion', 'SetDefaultPolicyVersion', 'DeletePolicyVersion', 'DeletePolicy'].flatMap((action) =>
        [
          boundaryArn('dev'),
          boundaryArn('prod'),
          `arn:aws:iam::${ACCOUNT}:policy/sbert-service-github-apply-dev-guards`
        ].map((resource) => ({
          action: `iam:${action}`,
          resource
        }))
      ),
      ...['UpdateAssumeRolePolicy', 'AttachRolePolicy', 'PutRolePolicy', 'CreateRole', 'PassRole'].flatMap((action) =>
        [
          ADMIN_ROLE,
          `arn:aws:iam::${ACCOUNT}:role/sbert-service-github-apply-prod`,
          `arn:aws:iam::${ACCOUNT}:role/sbert-service-version-lifecycle`
        ].map((resource) => ({
          action: `iam:${action}`,
          resource,
          context: { ...bounded('dev'), 'iam:PolicyARN': ADMIN_POLICY, 'iam:PassedToService': 'lambda.amazonaws.com' }
        }))
      ),
      { action: 'sts:AssumeRole', resource: ADMIN_ROLE },
      ...['dev', 'prod'].flatMap((stage): Attempt[] => [
        { action: 'iam:CreateRole', resource: stageRole(stage) },
        { action: 'iam:CreateRole', resource: stageRole(stage), context: { 'iam:PermissionsBoundary': ADMIN_POLICY } },
        { action: 'iam:PutRolePolicy', resource: stageRole(stage) },
        {
          action: 'iam:AttachRolePolicy',
          resource: stageRole(stage),
          context: { ...bounded(stage), 'iam:PolicyARN': ADMIN_POLICY }
        },
        { action: 'iam:PutRolePermissionsBoundary', resource: stageRole(stage), context: bounded(stage) },
        { action: 'iam:DeleteRolePermissionsBoundary', resource: stageRole(stage), context: bounded(stage) }
      ]),
      // Programs of others that run with rights of others.
      ...['UpdateFunctionCode', 'InvokeFunction', 'UpdateFunctionConfiguration'].map((action) => ({
        action: `lambda:${action}`,
        resource: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:other`
      })),
      { action: 'cloudformation:UpdateStack', resource: `arn:aws:cloudformation:us-east-1:${ACCOUNT}:stack/other/1` },
      { action: 'cloudformation:CreateStack', resource: `arn:aws:cloudformation:us-east-1:${ACCOUNT}:stack/other/1` },
      { action: 'ssm:SendCommand', resource: `arn:aws:ec2:us-east-1:${ACCOUNT}:instance/i-1` },
      { action: 'ec2:ModifyInstanceAttribute', resource: `arn:aws:ec2:us-east-1:${ACCOUNT}:instance/i-1` },
      { action: 'ec2:RunInstances', resource: `arn:aws:ec2:us-east-1:${ACCOUNT}:instance/*` },
      { action: 'codebuild:StartBuild', resource: `arn:aws:codebuild:us-east-1:${ACCOUNT}:project/p` },
      { action: 'ecs:RunTask', resource: `arn:aws:ecs:us-east-1:${ACCOUNT}:task-definition/other:1` },
      {
        action: 'iam:UpdateOpenIDConnectProviderThumbprint',
        resource: `arn:aws:iam::${ACCOUNT}:oidc-provider/token.actions.githubusercontent.com`
      }
    ]
    assertDenied(policies, attempts, who)
  }
})

const WITHIN_STAGE = 'on what has the stage’s name alone, as the tests of stages show'
const WITHIN_BOUNDARY = 'for roles of the stage alone, which must have its boundary'
const PASSES_STAGE_ROLES = 'only roles of the stage are passed, whose boundary holds whatever runs with them'
const BY_CLOUDFORMATION =
  'in the hand of CloudFormation, on the stacks of the stage’s environment; no role but the stage’s is passed'
const NO_NARROWER = 'AWS knows no narrower resource for it'

/** What cloudsplaining finds and is meant to be so, with the reason. */
const ACCEPTED: Readonly<Record<string, readonly (readonly [kind: string, findings: string, reason: string])[]>> = {
  build: [['CredentialsExposure', 'ecr:GetAuthorizationToken', NO_NARROWER]],
  deploy: [
    ['InfrastructureModification', 'ecs:RegisterTaskDefinition', NO_NARROWER],
    ['PrivilegeEscalation', 'CreateEC2WithExistingIP ModifyExistingEC2LaunchTemplate', BY_CLOUDFORMATION],
    ['PrivilegeEscalation', 'EditExistingLambdaFunctionWithRole UpdateAndInvokeLambdaFunction', 'the stage’s function']
  ],
  apply: [
    ['InfrastructureModification', 'ecs:RegisterTaskDefinition', NO_NARROWER],
    [
      'ServiceWildcard',
      'budgets chatbot cloudwatch dynamodb ecs elasticbeanstalk events lambda logs s3 secretsmanager sns sqs wafv2',
      WITHIN_STAGE
    ],
    [
      'PrivilegeEscalation',
      'AttachRolePolicy AttachRolePolicyThenUpdateAssumeRolePolicy PutRolePolicy PutRolePolicyThenUpdateAssumeRolePolicy UpdateRolePolicyToAssumeIt',
      WITHIN_BOUNDARY
    ],
    ['PrivilegeEscalation', 'CreateEC2WithExistingIP ModifyExistingEC2LaunchTemplate', BY_CLOUDFORMATION],
    [
      'PrivilegeEscalation',
      'PassExistingRoleToCloudFormation PassExistingRoleToNewECSClusterRunTask PassExistingRoleToNewECSClusterServiceTask ' +
        'PassExistingRoleToNewECSService PassExistingRoleToNewECSTaskViaRunTask PassExistingRoleToNewECSTaskViaStartTask ' +
        'PassExistingRoleToNewLambdaThenAddPermission PassExistingRoleToNewLambdaThenInvoke ' +
        'PassExistingRoleToNewLambdaThenTriggerWithExistingDynamo PassExistingRoleToNewLambdaThenTriggerWithNewDynamo',
      PASSES_STAGE_ROLES
    ],
    [
      'PrivilegeEscalation',
      'EditExistingLambdaFunctionWithRole UpdateAndInvokeLambdaFunction UpdateLambdaFunctionAndAddPermission',
      'the stage’s function; the canary’s is denied'
    ]
  ],
  // The most that any role of a stage may do.
  boundary: [
    ['CredentialsExposure', 'ecr:GetAuthorizationToken', NO_NARROWER],
    ['ServiceWildcard', 'dynamodb logs s3 sqs', WITHIN_STAGE],
    [
      'PrivilegeEscalation',
      'CreateEC2WithExistingIP ExecuteCloudFormationChangeSet ModifyExistingEC2LaunchTemplate PassExistingRoleToCloudFormation ' +
        'PassExistingRoleToNewCloudFormationStackSet PassRoleToUpdateCloudFormationStackSet',
      'web and beanstalk are the roles that may be passed, which have this boundary themselves'
    ]
  ]
}

test('cloudsplaining finds in the workflows’ roles, and in the boundary, what is accepted with a reason, and nothing else', () => {
  const policies = {
    build: statementsOf(account, 'build'),
    // ReadOnlyAccess is AWS's own; what it must not read is simulated below.
    plan: statementsOf(account, 'plan'),
    ...Object.fromEntries(
      ['dev', 'prod'].flatMap((stage) => [
        [`deploy-${stage}`, deploy(stage)],
        [`apply-${stage}`, apply(stage).slice(1)],
        [`boundary-${stage}`, boundary(stage)]
      ])
    )
  }
  const input = JSON.stringify(Object.fromEntries(Object.entries(policies).map(([who, all]) => [who, policyOf(all)])))
  const script = fileURLToPath(new URL('privileges.py', import.meta.url))
  const { stdout, stderr, status } = spawnSync(process.env['CLOUDSPLAINING'] ?? 'python3', [script], {
    input,
    encoding: 'utf8'
  })
  assert.equal(status, 0, stderr)
  const found: Record<string, Record<string, string[]>> = JSON.parse(stdout)
  assert.deepEqual(new Set(Object.keys(found)), new Set(Object.keys(policies)))
  for (const [who, kinds] of Object.entries(found)) {
    const accepted = (ACCEPTED[who.replace(/-.*/, '')] ?? []).flatMap(([kind, findings]) =>
      findings.split(' ').map((finding) => `${kind}: ${finding}`)
    )
    const all = Object.entries(kinds).flatMap(([kind, findings]) => findings.map((finding) => `${kind}: ${finding}`))
    assert.deepEqual(new Set(all), new Set(accepted), who)
  }
})

/** As IAM reads it. A denial counts only if it is of all resources: cloudsplaining looks at actions alone there. */
function policyOf(statements: readonly Statement[]): unknown {
  const counted = statements.filter(({ effect, resources = [] }) => effect === 'Allow' || resources.includes('*'))
  return {
    Version: '2012-10-17',
    Statement: counted.map(({ effect, actions, resources, notResources = [], conditions = [] }) => ({
      Effect: effect,
      Action: actions,
      ...(notResources.length > 0 ? { NotResource: notResources } : { Resource: resources }),
      ...(conditions.length > 0 && {
        Condition: Object.fromEntries(
          conditions.map(({ test: name, variable, values }) => [name, { [variable]: values }])
        )
      })
    }))
  }
}

test('a role that a workflow makes, with every right in its policy, is held by the boundary', () => {
  for (const attempt of [
    { action: 'iam:CreateUser', resource: `arn:aws:iam::${ACCOUNT}:user/someone` },
    {
      action: 'iam:AttachRolePolicy',
      resource: stageRole('dev'),
      context: { 'iam:PermissionsBoundary': boundaryArn('dev') }
    },
    { action: 'iam:PassRole', resource: ADMIN_ROLE },
    { action: 'sts:AssumeRole', resource: ADMIN_ROLE },
    { action: 'lambda:UpdateFunctionCode', resource: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:other` },
    {
      action: 'secretsmanager:GetSecretValue',
      resource: `arn:aws:secretsmanager:us-east-1:${ACCOUNT}:secret:sbert-service-prod/API_SECRET_KEY-a`
    },
    { action: 's3:GetObject', resource: `arn:aws:s3:::sbert-service-prod-${ACCOUNT}-us-east-1/models/a` },
    {
      action: 's3:PutObject',
      resource: `arn:aws:s3:::sbert-service-state-${ACCOUNT}-us-east-1/prod/terraform.tfstate`
    },
    { action: 'elasticbeanstalk:UpdateEnvironment', resource: environmentOf('prod') },
    {
      action: 'kms:Decrypt',
      resource: `arn:aws:kms:us-east-1:${ACCOUNT}:key/1`,
      context: { 'aws:ResourceTag/Stage': 'prod' }
    }
  ]) {
    assert(!isAllowed([EVERYTHING], attempt, boundary('dev')), `${attempt.action} on ${attempt.resource}`)
  }
})

function environmentOf(stage: string): string {
  return `arn:aws:elasticbeanstalk:us-east-1:${ACCOUNT}:environment/sbert-service/sbert-service-${stage}`
}

/** What changes a stage, on one of each kind of its things. */
function changesOf(stage: string): readonly Attempt[] {
  const tagged = { 'aws:ResourceTag/Stage': stage, 'aws:RequestTag/Stage': stage }
  const named = { 'aws:ResourceTag/elasticbeanstalk:environment-name': `sbert-service-${stage}` }
  const name = `sbert-service-${stage}`
  return [
    { action: 'sqs:SetQueueAttributes', resource: regional('sqs', `${name}-jobs`) },
    { action: 'dynamodb:UpdateTable', resource: regional('dynamodb', `table/${name}-jobs`) },
    { action: 's3:PutBucketPolicy', resource: `arn:aws:s3:::${name}-${ACCOUNT}-us-east-1` },
    {
      action: 's3:PutObject',
      resource: `arn:aws:s3:::sbert-service-state-${ACCOUNT}-us-east-1/${stage}/terraform.tfstate`
    },
    { action: 'secretsmanager:DeleteSecret', resource: regional('secretsmanager', `secret:${name}/API_SECRET_KEY-a`) },
    { action: 'kms:ScheduleKeyDeletion', resource: regional('kms', 'key/1'), context: tagged },
    { action: 'kms:UpdateAlias', resource: regional('kms', `alias/${name}`) },
    { action: 'sns:SetTopicAttributes', resource: regional('sns', `${name}-alarms`) },
    { action: 'cloudwatch:PutMetricAlarm', resource: regional('cloudwatch', `alarm:${name}-canary`) },
    { action: 'logs:DeleteLogGroup', resource: regional('logs', `log-group:/${name}/worker`) },
    { action: 'wafv2:UpdateWebACL', resource: regional('wafv2', `global/webacl/${name}/1`) },
    { action: 'cloudfront:UpdateFunction', resource: `arn:aws:cloudfront::${ACCOUNT}:function/${name}-authorize` },
    {
      action: 'cloudfront:UpdateDistribution',
      resource: `arn:aws:cloudfront::${ACCOUNT}:distribution/E1`,
      context: tagged
    },
    { action: 'cloudfront:DeleteKeyValueStore', resource: `arn:aws:cloudfront::${ACCOUNT}:key-value-store/${stage}` },
    { action: 'cloudfront:UpdateCachePolicy', resource: `arn:aws:cloudfront::${ACCOUNT}:cache-policy/${stage}` },
    { action: 'ec2:DeleteSubnet', resource: regional('ec2', 'subnet/1'), context: tagged },
    { action: 'ec2:CreateTags', resource: regional('ec2', 'vpc/1'), context: tagged },
    { action: 'ec2:AuthorizeSecurityGroupIngress', resource: regional('ec2', 'security-group/1'), context: tagged },
    { action: 'elasticbeanstalk:UpdateEnvironment', resource: environmentOf(stage) },
    {
      action: 'cloudformation:UpdateStack',
      resource: regional('cloudformation', 'stack/awseb-e-1-stack/1'),
      context: named
    },
    {
      action: 'autoscaling:UpdateAutoScalingGroup',
      resource: regional('autoscaling', 'autoScalingGroup:1:autoScalingGroupName/awseb-e-1'),
      context: named
    },
    {
      action: 'autoscaling:PutScalingPolicy',
      resource: regional('autoscaling', 'autoScalingGroup:1:autoScalingGroupName/awseb-e-1'),
      context: named
    },
    {
      action: 'autoscaling:DeleteAutoScalingGroup',
      resource: regional('autoscaling', 'autoScalingGroup:1:autoScalingGroupName/awseb-e-1'),
      context: { ...named, 'aws:CalledVia': ['elasticbeanstalk.amazonaws.com', 'cloudformation.amazonaws.com'] }
    },
    { action: 'lambda:UpdateFunctionConfiguration', resource: regional('lambda', `function:${name}-function`) },
    {
      action: 'lambda:PutProvisionedConcurrencyConfig',
      resource: regional('lambda', `function:${name}-function:live`)
    },
    { action: 'apigateway:PATCH', resource: 'arn:aws:apigateway:us-east-1::/apis/a1', context: tagged },
    {
      action: 'apigateway:DELETE',
      resource: 'arn:aws:apigateway:us-east-1::/apis/a1/integrations/i1',
      context: tagged
    },
    { action: 'ecs:UpdateService', resource: regional('ecs', `service/${name}/worker`) },
    {
      action: 'application-autoscaling:DeleteScalingPolicy',
      resource: regional('application-autoscaling', 'scalable-target/1'),
      context: tagged
    },
    {
      action: 'iam:PutRolePolicy',
      resource: stageRole(stage),
      context: { 'iam:PermissionsBoundary': boundaryArn(stage) }
    },
    { action: 'iam:PassRole', resource: stageRole(stage), context: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
    { action: 'budgets:ModifyBudget', resource: `arn:aws:budgets::${ACCOUNT}:budget/${name}` }
  ]
}

test('apply changes all of its stage, and nothing of another', () => {
  for (const [own, other] of [
    ['dev', 'prod'],
    ['prod', 'dev']
  ] as const) {
    assertAllowed(apply(own), changesOf(own), `apply-${own}`)
    assertDenied(apply(own), changesOf(other), `apply-${own}`)
  }
})

test('deploy changes nothing of another stage, its key value store neither', () => {
  for (const [own, other] of [
    ['dev', 'prod'],
    ['prod', 'dev']
  ] as const) {
    assertDenied(deploy(own), changesOf(other), `deploy-${own}`)
    const keys = (stage: string) => ({
      action: 'cloudfront-keyvaluestore:UpdateKeys',
      resource: `arn:aws:cloudfront::${ACCOUNT}:key-value-store/${stage}`
    })
    assertAllowed(deploy(own), [keys(own)], `deploy-${own}`)
    assertDenied(deploy(own), [keys(other)], `deploy-${own}`)
  }
})

test('deploy does what tools/deploy asks of AWS, and its journal is its own stage’s', () => {
  const attempts = (stage: string): Attempt[] => [
    { action: 'ssm:GetParameters', resource: regional('ssm', `parameter/sbert-service-${stage}/deploy`) },
    { action: 'ssm:PutParameter', resource: regional('ssm', `parameter/sbert-service-${stage}/deploy`) },
    { action: 'ecs:DescribeServices', resource: regional('ecs', `service/sbert-service-${stage}/worker`) },
    { action: 'ecs:UpdateService', resource: regional('ecs', `service/sbert-service-${stage}/worker`) },
    { action: 'elasticbeanstalk:UpdateEnvironment', resource: environmentOf(stage) },
    ...['UpdateFunctionCode', 'UpdateAlias', 'InvokeFunction'].map((action) => ({
      action: `lambda:${action}`,
      resource: regional('lambda', `function:sbert-service-${stage}-function`)
    })),
    {
      action: 'iam:PassRole',
      resource: stageRole(stage, 'worker-start'),
      context: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' }
    }
  ]
  const shared: Attempt[] = [
    { action: 'ecs:DescribeTaskDefinition', resource: '*' },
    { action: 'ecs:RegisterTaskDefinition', resource: '*' },
    { action: 'elasticbeanstalk:DescribeEnvironments', resource: '*' },
    { action: 'ecr:BatchGetImage', resource: regional('ecr', 'repository/sbert-service') },
    { action: 'ecr:PutImage', resource: regional('ecr', 'repository/sbert-service') }
  ]
  assertAllowed(deploy('dev'), [...attempts('dev'), ...shared], 'deploy-dev')
  assertDenied(deploy('dev'), attempts('prod'), 'deploy-dev')
  // Another image than those that were built cannot be made with PutImage alone.
  const upload = { action: 'ecr:UploadLayerPart', resource: regional('ecr', 'repository/sbert-service') }
  assertDenied(deploy('dev'), [upload], 'deploy-dev')
})

test('plan and apply read no data and no secret', () => {
  const attempts: Attempt[] = [
    ...['GetItem', 'BatchGetItem', 'Query', 'Scan', 'PartiQLSelect', 'ExportTableToPointInTime'].map((action) => ({
      action: `dynamodb:${action}`,
      resource: regional('dynamodb', 'table/sbert-service-dev-jobs')
    })),
    ...['GetSecretValue', 'BatchGetSecretValue'].map((action) => ({
      action: `secretsmanager:${action}`,
      resource: regional('secretsmanager', 'secret:sbert-service-dev/API_SECRET_KEY-a')
    })),
    ...['FilterLogEvents', 'GetLogEvents', 'StartQuery', 'GetQueryResults', 'StartLiveTail'].map((action) => ({
      action: `logs:${action}`,
      resource: regional('logs', 'log-group:/sbert-service-dev/canary')
    })),
    { action: 'sqs:ReceiveMessage', resource: regional('sqs', 'sbert-service-dev-jobs') },
    // A shell in a task has its secrets.
    { action: 'ecs:ExecuteCommand', resource: regional('ecs', 'cluster/sbert-service-dev') },
    { action: 's3:GetObject', resource: `arn:aws:s3:::sbert-service-dev-${ACCOUNT}-us-east-1/mentors/noor` },
    { action: 's3:GetObjectVersion', resource: `arn:aws:s3:::sbert-service-dev-${ACCOUNT}-us-east-1/mentors/noor` }
  ]
  for (const [who, policies] of [
    ['plan', plan()],
    ['apply-dev', apply('dev')]
  ] as const)
    assertDenied(policies, attempts, who)
})

test('apply does not come at the key by way of the canary, whose code it may not replace', () => {
  const canary = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:sbert-service-dev-canary`
  assertDenied(
    apply('dev'),
    [
      { action: 'lambda:UpdateFunctionCode', resource: canary },
      { action: 'lambda:InvokeFunction', resource: canary },
      {
        action: 'cloudformation:UpdateStack',
        resource: `arn:aws:cloudformation:us-east-1:${ACCOUNT}:stack/sbert-service-dev-canary/1`
      },
      {
        action: 'iam:PassRole',
        resource: stageRole('dev', 'canary'),
        context: { 'iam:PassedToService': 'lambda.amazonaws.com' }
      },
      { action: 'iam:UpdateAssumeRolePolicy', resource: stageRole('dev', 'canary') }
    ],
    'apply-dev'
  )
  for (const action of ['UpdateFunctionCode', 'InvokeFunction'])
    assertDenied(deploy('dev'), [{ action: `lambda:${action}`, resource: canary }], 'deploy-dev')
})

/** What a refresh reads with its caller's rights. */
function readsOf(stage: string): readonly Attempt[] {
  return [
    { action: 's3:GetObject', resource: 'arn:aws:s3:::elasticbeanstalk-env-resources-us-east-1/a' },
    { action: 's3:GetObject', resource: `arn:aws:s3:::elasticbeanstalk-us-east-1-${ACCOUNT}/resources/a` },
    {
      action: 's3:GetObject',
      resource: `arn:aws:s3:::sbert-service-${stage}-errors-${ACCOUNT}-us-east-1/errors/502.json`
    },
    {
      action: 's3:GetObject',
      resource: `arn:aws:s3:::sbert-service-state-${ACCOUNT}-us-east-1/${stage}/terraform.tfstate`
    }
  ]
}

test('plan and apply read what refreshing an environment and the pages of errors takes', () => {
  for (const stage of ['dev', 'prod']) {
    assertAllowed(plan(), readsOf(stage), 'plan')
    assertAllowed(apply(stage), readsOf(stage), `apply-${stage}`)
    const bundle = {
      action: 's3:GetObject',
      resource: `arn:aws:s3:::sbert-service-bundles-${ACCOUNT}-us-east-1/v1.zip`
    }
    assertAllowed(apply(stage), [bundle], `apply-${stage}`)
    const own = { action: 's3:PutObject', resource: `arn:aws:s3:::elasticbeanstalk-us-east-1-${ACCOUNT}/resources/a` }
    assertAllowed(deploy(stage), [own], `deploy-${stage}`)
  }
})

test('the boundary leaves the stage’s roles what they do', () => {
  for (const attempt of [
    { action: 'sqs:ReceiveMessage', resource: `arn:aws:sqs:us-east-1:${ACCOUNT}:sbert-service-dev-jobs` },
    {
      action: 'dynamodb:Query',
      resource: `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/sbert-service-dev-jobs/index/by-status`
    },
    { action: 's3:PutObject', resource: `arn:aws:s3:::sbert-service-dev-${ACCOUNT}-us-east-1/models/a` },
    protectionOf('dev'),
    {
      action: 'secretsmanager:GetSecretValue',
      resource: `arn:aws:secretsmanager:us-east-1:${ACCOUNT}:secret:sbert-service-dev/API_SECRET_KEY-a`
    },
    {
      action: 'kms:Decrypt',
      resource: `arn:aws:kms:us-east-1:${ACCOUNT}:key/1`,
      context: { 'aws:ResourceTag/Stage': 'dev' }
    },
    { action: 'ecr:GetDownloadUrlForLayer', resource: `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/sbert-service` },
    { action: 'ecr:GetAuthorizationToken', resource: '*' },
    { action: 's3:GetObject', resource: `arn:aws:s3:::sbert-service-bundles-${ACCOUNT}-us-east-1/v1.zip` },
    {
      action: 'logs:PutLogEvents',
      resource: `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:/sbert-service-dev/worker:log-stream:a`
    },
    {
      action: 'logs:CreateLogStream',
      resource: `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:/aws/elasticbeanstalk/sbert-service-dev/a`
    },
    { action: 'elasticbeanstalk:PutInstanceStatistics', resource: environmentOf('dev') },
    { action: 'elasticbeanstalk:UpdateEnvironment', resource: environmentOf('dev') },
    { action: 'cloudwatch:GetMetricData', resource: '*' },
    { action: 'iam:PassRole', resource: stageRole('dev', 'web') }
  ]) {
    assert(isAllowed([EVERYTHING], attempt, boundary('dev')), `${attempt.action} on ${attempt.resource}`)
  }
})

/** What cosign keeps of an image: signature and bill of materials. */
function beside(digest: string): readonly RepositoryImage[] {
  return ['sig', 'att'].map((kind) => ({ digest: `${digest}-${kind}`, tags: [`sha256-${kind}`] }))
}

/**
 * What a push of the workflow adds: an image of each target and architecture, an index of service and of worker, and what cosign keeps beside
 * what is deployed. Lambda takes no index.
 */
function pushOf(version: number, stages: readonly string[]): readonly RepositoryImage[] {
  const deployed = (target: string) => stages.map((stage) => `deployed-${stage}-${version}-${target}`)
  return ['service', 'worker', 'function'].flatMap((target) => {
    const index = `${version}-${target}`
    const parts = ['amd64', 'arm64'].map((architecture) => ({
      digest: `${index}-${architecture}`,
      tags: [`${index}-${architecture}`, ...(target === 'function' && architecture === 'amd64' ? deployed(target) : [])]
    }))
    if (target === 'function') return parts.flatMap((part) => [part, ...beside(part.digest)])
    const tags = [index, ...deployed(target)]
    return [...parts, { digest: index, tags, parts: parts.map(({ digest }) => digest) }, ...beside(index)]
  })
}

test('no image expires that a stage runs, however old, nor one that a version of the application names', () => {
  const policy = account.find(({ type }) => type === 'aws_ecr_lifecycle_policy')?.values['policy']
  const application = account.find(({ type }) => type === 'aws_elastic_beanstalk_application')
  const versionCount = Number(listOf(application?.values['appversion_lifecycle'])[0]?.['max_count'])
  assert(versionCount >= 20)
  // prod runs one of the first versions, and went on to none since; dev ran every one.
  const versions = Array.from({ length: 10 * versionCount }, (_, version) =>
    pushOf(version, version === 3 ? ['dev', 'prod'] : ['dev'])
  )
  // Every second build failed after it had pushed.
  const images = versions.flatMap((pushed, version) => [...pushed, ...pushOf(version + 0.5, [])])
  const kept = new Set(keptImages(String(policy), images).map(({ digest }) => digest))
  // The signature of what was deployed long ago goes, and the function for the other architecture.
  const deployed =
    versions[3]?.filter(
      ({ digest, tags }) => digest !== '3-function-arm64' && !tags.some((tag) => tag.startsWith('sha256-'))
    ) ?? []
  const needed = [deployed, ...versions.slice(-versionCount)].flat()
  for (const { digest } of needed) assert(kept.has(digest), digest)
  assert(kept.size < images.length / 2, 'what nobody needs goes')
})

test('each policy fits into what IAM takes', () => {
  for (const stage of ['dev', 'prod']) {
    for (const address of [
      `boundary["${stage}"]`,
      ...APPLY_PARTS.map((part) => `apply_${part}["${stage}"]`),
      `deploy["${stage}"]`
    ]) {
      const characters = JSON.stringify({ Version: '2012-10-17', Statement: statementsOf(account, address) }).length
      // Without a name of each statement, with some names longer than IAM's: near enough for a margin of a tenth.
      const limit = address.startsWith('deploy') ? 10_240 : MAX_POLICY_CHARACTERS
      assert(characters < limit * 0.95, `${address}: ${characters}`)
    }
  }
})
