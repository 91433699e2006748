/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// What the image sbert-service-lambda starts: on AWS Lambda the function; anywhere else the function behind port 8080, where it takes
// events as AWS' own base images do under docker run -p 9000:8080.
import { takeInvocations } from './function-process.ts'

/** Port of AWS' base images. */
const PORT = 8080

if (process.env['AWS_LAMBDA_RUNTIME_API'] === undefined) {
  process.exitCode = await takeInvocations({
    port: Number(process.env['PORT'] ?? PORT),
    host: '0.0.0.0',
    env: process.env,
    onListening: (url) => process.stderr.write(`This is not AWS Lambda: taking events as POST ${url}\n`)
  })
} else {
  await import('../../src/bin/lambda.ts')
}
