/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// Makes the queues, the table and the bucket in the emulators of compose.yaml. What an earlier run has made stays.

import { createJobResources } from '../../test/emulators/job-resources.ts'

const EXISTS = ['ResourceInUseException', 'BucketAlreadyOwnedByYou', 'BucketAlreadyExists']

function urlOf(variable: string): string {
  const url = process.env[variable]
  if (url === undefined) throw new Error(`Cannot make the local AWS: ${variable} is not set`)
  return url
}

const [name = 'sbert'] = process.argv.slice(2)
try {
  await createJobResources(
    {
      sqs: { url: urlOf('AWS_ENDPOINT_URL_SQS') },
      dynamodb: { url: urlOf('AWS_ENDPOINT_URL_DYNAMODB') },
      s3: { url: urlOf('AWS_ENDPOINT_URL_S3') }
    },
    name
  )
} catch (error) {
  if (!(error instanceof Error && EXISTS.includes(error.name))) throw error
}
process.stdout.write(`The queues, the table and the bucket ${name} are there\n`)
