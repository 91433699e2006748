/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { text } from '../setting.ts'

/** Settings that AWS Lambda and ECS set, or that are only for them. */
export const PLATFORM_SETTINGS = {
  LAMBDA_CLASSIFIER: text({
    default: undefined,
    pattern: /^[A-Za-z0-9_.-]{1,100}$/,
    bounds: 'the name of a classifier',
    doc: 'The classifier with which a function of AWS Lambda answers bare events of columns, such as `{"sensor_1":"[1,2.0,3]"}`.'
  }),
  LAMBDA_SECRETS: text({
    default: undefined,
    pattern: /^[A-Z_]+=\S+(?:\s*,\s*[A-Z_]+=\S+)*$/,
    bounds: 'names of settings, each with the ARN of a secret',
    doc: 'Settings that a function of AWS Lambda reads from Secrets Manager at its start: `API_SECRET_KEY=arn:…,JWT_SECRET_KEY=arn:…`.'
  }),
  AWS_LAMBDA_RUNTIME_API: text({
    default: undefined,
    pattern: /^[0-9A-Za-z.:_-]{1,253}$/,
    bounds: 'a host and a port',
    doc: 'Host and port from which a function of AWS Lambda gets its calls; Lambda sets it.'
  }),
  ECS_AGENT_URI: text({
    default: undefined,
    pattern: /^http:\/\/[^\s\0]{1,1000}$/,
    bounds: 'an http URL',
    doc: 'Address of the agent with which a worker on ECS protects its task from being stopped while a long job runs; ECS sets it.'
  })
} as const
