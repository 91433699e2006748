/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { AwsPlatform } from './aws-platform.ts'
import { deploy, rollBack } from './deployment.ts'

const HELP = `Usage: npm run deploy -- --stage <stage> --url <url> --store <arn> --label <version> --service-image <image> --worker-image <image> [--function-image <image>]
       npm run deploy -- --stage <stage> --url <url> --store <arn> --rollback

Brings a version into a stage and waits until it runs and keeps its promises; else takes the stage back to what ran before. The
second form takes it back by hand. After a kill the same command goes on.

  --stage          dev, staging, …
  --url            where the service is: terraform output -raw url
  --store          ARN of the edge's key value store: terraform output -raw key_value_store_arn
  --label          version of the Elastic Beanstalk application
  --service-image  image of the web tier, by digest
  --worker-image   image of the workers, by digest
  --function-image image of the function, by digest, where the stage has one
  --keep-cache     the model is the same: answers stay shared meanwhile, else none is until the new version runs

API_KEY is a key to ask the stage with. Needs the AWS CLI, version 2. Ends with 0 when the version runs, 1 when the stage went
back, 3 when it did not even go back.
`

const BY_DIGEST = /^[^/]+\/[^@]+@sha256:[0-9a-f]{64}$/

/** Exit statuses. */
const EXIT = { deployed: 0, rolledBack: 1, usage: 2, stuck: 3 } as const

function report(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      stage: { type: 'string' },
      url: { type: 'string' },
      store: { type: 'string' },
      label: { type: 'string' },
      'service-image': { type: 'string' },
      'worker-image': { type: 'string' },
      'function-image': { type: 'string' },
      'keep-cache': { type: 'boolean', default: false },
      rollback: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  const { stage, url, store, label, 'service-image': serviceImage, 'worker-image': workerImage } = values
  const apiKey = process.env['API_KEY'] ?? ''
  if (values.help || stage === undefined || url === undefined || store === undefined) return usage(values.help)
  const platform = new AwsPlatform({
    name: `sbert-service-${stage}`,
    stage,
    url: url.replace(/\/+$/, ''),
    apiKey,
    store,
    ...waits(process.env['DEPLOY_PAUSE_MS'])
  })
  if (values.rollback) {
    await rollBack(platform, report)
    return EXIT.deployed
  }
  if (label === undefined || serviceImage === undefined || workerImage === undefined || apiKey === '')
    return usage(false)
  const functionImage = values['function-image']
  for (const image of [serviceImage, workerImage, functionImage]) {
    if (image === undefined || BY_DIGEST.test(image)) continue
    process.stderr.write(
      `Cannot deploy ${label}: want each image as <registry>/<repository>@sha256:<64 hex digits>, not "${image}"\n`
    )
    return EXIT.usage
  }
  const outcome = await deploy(
    platform,
    { label, serviceImage, workerImage, functionImage },
    values['keep-cache'],
    report
  )
  return outcome === 'deployed' ? EXIT.deployed : EXIT.rolledBack
}

/** A shorter pause between two polls, for tests. */
function waits(pause: string | undefined): { pauseMs?: number } {
  return pause === undefined ? {} : { pauseMs: Number(pause) }
}

function usage(isWanted: boolean): number {
  process.stdout.write(HELP)
  return isWanted ? 0 : EXIT.usage
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = EXIT.stuck
}
