/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { decimal, flag, integer, list, oneOf, text, type Setting } from './setting.ts'

/**
 * Every setting of the service. Each is an environment variable; an empty one counts as not set.
 * docs/configuration.md shows this table and is held against it by a test.
 */
export const SETTINGS = {
  PORT: integer({ default: 8080, min: 0, max: 65535, doc: 'Port to listen on; 0 takes any free one.' }),
  HOST: text({
    default: '127.0.0.1',
    pattern: /^[0-9A-Za-z.:_-]{1,253}$/,
    bounds: 'a host name or an IP address',
    doc: 'Address to listen on. Any but a loopback address needs `API_SECRET_KEY`, `API_KEYS_FILE` or `JWT_SECRET_KEY`.'
  }),
  API_SECRET_KEY: list({
    itemPattern: /^[\x21-\x2b\x2d-\x7e]{1,1024}$/,
    bounds: 'keys of printable ASCII without spaces, comma separated',
    isSecret: true,
    doc: 'Bearer keys. A caller with one of them may do everything.'
  }),
  API_KEYS_FILE: text({
    default: undefined,
    pattern: /^[^\0]{1,4096}$/,
    bounds: 'a path',
    doc: 'JSON file of keys with names, scopes, rates and ends, by their digests (docs/security.md); read again when it changes, and on SIGHUP.'
  }),
  JWT_SECRET_KEY: list({
    itemPattern: /^[\x21-\x2b\x2d-\x7e]{1,1024}$/,
    bounds: 'secrets of printable ASCII without spaces, comma separated',
    isSecret: true,
    doc: 'Secrets of HS256 tokens with the payload `{id, role, mentorIds}`. Shorter than 32 characters is weak: warned of at start.'
  }),
  DATA_DIR: text({
    default: 'data',
    pattern: /^[^\0]{1,4096}$/,
    bounds: 'a path',
    doc: 'Folder of everything the service keeps.'
  }),
  MODEL_PRECISION: oneOf(['int8', 'fp32'], {
    default: 'int8',
    doc: 'Numbers the model computes with: `int8` is several times faster, `fp32` is the reference.'
  }),
  NATIVE_KERNEL: oneOf(['auto', 'avx512-vnni', 'avx-vnni', 'avx2', 'neon-i8mm', 'neon-dotprod', 'neon', 'reference'], {
    default: 'auto',
    doc: 'Kernels that compute `int8`; `auto` takes the fastest that the CPU can run. All give the same bytes: a slower one is for benchmarks and support.'
  }),
  MODEL_DIR: text({
    default: 'models/all-MiniLM-L6-v2/compiled',
    pattern: /^[^\0]{1,4096}$/,
    bounds: 'a path',
    doc: 'Folder of the compiled model, as `make download-models` makes it.'
  }),
  ENCODE_WORKERS: integer({
    default: 0,
    min: 0,
    max: 256,
    unit: 'threads',
    doc: 'Threads that compute embeddings; 0 takes as many as the CPU quota gives cores.'
  }),
  MAX_BATCH_TOKENS: integer({
    default: 256,
    min: 16,
    max: 65_536,
    unit: 'tokens',
    doc: 'Budget of one batch. A larger one is a little faster for bulk work, but requests wait longer for a free thread.'
  }),
  MAX_PENDING_TOKENS: integer({
    default: 100_000,
    min: 512,
    max: 100_000_000,
    unit: 'tokens',
    doc: 'Maximum that may wait in each lane, interactive and bulk; beyond it requests are refused at once with 503.'
  }),
  MAX_CALLER_PERCENT: integer({
    default: 50,
    min: 1,
    max: 100,
    unit: 'percent',
    doc: 'The share of `MAX_PENDING_TOKENS`, `BODIES_UNDER_WAY_BYTES` and `MAX_WAITING_BODIES` that one key or user may have; beyond it 429.'
  }),
  METRICS_PORT: integer({
    default: 0,
    min: 0,
    max: 65_535,
    doc: 'Port of `/metrics` for Prometheus, without a key; 0 opens none.'
  }),
  METRICS_HOST: text({
    default: '127.0.0.1',
    pattern: /^[0-9A-Za-z.:_-]{1,253}$/,
    bounds: 'a host name or an IP address',
    doc: 'Address of `/metrics`. Metrics hold no texts and no keys, but show how much is asked.'
  }),
  METRICS: oneOf(['none', 'emf'], {
    default: 'none',
    doc: 'Whether the metrics of `/metrics` are also written to the standard output, as lines from which CloudWatch makes metrics.'
  }),
  METRICS_INTERVAL_SECONDS: integer({
    default: 60,
    min: 1,
    max: 3600,
    unit: 'seconds',
    doc: 'How often those lines are written with `METRICS=emf`; once more when the process ends.'
  }),
  SENTRY_DSN: text({
    default: undefined,
    pattern: /^https?:\/\/[^@\s]+@[^@\s/]+\/\S+$/,
    bounds: 'the address of a Sentry project',
    isSecret: true,
    doc: 'Where unexpected errors are reported; Sentry is not even loaded without it.'
  }),
  STAGE: text({
    default: 'dev',
    pattern: /^[A-Za-z0-9_-]{1,64}$/,
    bounds: '1 to 64 letters, digits, `_` or `-`',
    doc: 'Name of this deployment, as Sentry shows it: `dev`, `qa`, `prod`.'
  }),
  LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    default: 'info',
    doc: 'The least severe lines to log. `info` writes one line a request.'
  }),
  LOG_FORMAT: oneOf(['auto', 'pretty', 'json'], {
    default: 'auto',
    doc: 'Form of the log: `json` writes an object a line, `pretty` a line for people, in colours unless `NO_COLOR` is set; `auto` is `pretty` on a terminal, and else `json`.'
  }),
  LOG_LINES_PER_SECOND: integer({
    default: 1000,
    min: 0,
    max: 1_000_000,
    unit: 'lines',
    doc: 'Most log lines of one kind in a second; one line tells how many more there were. 0 writes all, as does a terminal.'
  }),
  CORS_ORIGIN: list({
    itemPattern: /^(?:\*|https?:\/\/[^/?#\s,]+)$/,
    bounds: '`*`, or origins such as `https://app.example.org`, comma separated',
    doc: 'Origins whose web pages may call the service from a browser. Without any there are no CORS headers.'
  }),
  BODY_LIMIT_BYTES: integer({
    default: 1_048_576,
    min: 1024,
    max: 16_777_216,
    unit: 'bytes',
    doc: 'Longest request body where no other limit is named, such as JSON that is parsed at once; beyond it 413.'
  }),
  MAX_JSON_DEPTH: integer({
    default: 64,
    min: 8,
    max: 1000,
    unit: 'levels',
    doc: 'How deep JSON may be nested, in bodies and in lines of them; checked before it is parsed, beyond it 400.'
  }),
  BODIES_UNDER_WAY_BYTES: integer({
    default: 134_217_728,
    min: 1_048_576,
    max: 17_179_869_184,
    unit: 'bytes',
    doc: 'Maximum total of the bodies of requests that are not answered yet; beyond it 503, and 429 beyond one caller’s `MAX_CALLER_PERCENT` of it. Bodies announced with 16,384 bytes or less do not count.'
  }),
  READING_MEMORY_BYTES: integer({
    default: 268_435_456,
    min: 16_777_216,
    max: 17_179_869_184,
    unit: 'bytes',
    doc: 'Heap that JSON or CSV of a large body (a job, a mentor, a table) may take once it is parsed, in a thread of its own; beyond it 413.'
  }),
  MAX_WAITING_BODIES: integer({
    default: 8,
    min: 1,
    max: 1000,
    unit: 'bodies',
    doc: 'Large bodies that wait while another one is read; beyond it 503, and 429 beyond one caller’s `MAX_CALLER_PERCENT` of it.'
  }),
  MEMORY_LIMIT_BYTES: integer({
    default: 0,
    min: 0,
    max: 1_099_511_627_776,
    unit: 'bytes',
    doc: 'Resident memory that the process may take; 0 takes the limit of its control group, or the machine’s memory. `BODIES_UNDER_WAY_BYTES` and `UNREAD_REPLIES_BYTES` are limited to an eighth of it each, `READING_MEMORY_BYTES` to a quarter.'
  }),
  MEMORY_GUARD_PERCENT: integer({
    default: 80,
    min: 10,
    max: 100,
    unit: 'percent',
    doc: 'From this share of `MEMORY_LIMIT_BYTES` on, bodies of more than 16,384 bytes are refused with 503; from halfway between it and the limit, everything but health.'
  }),
  REQUEST_TIMEOUT_SECONDS: integer({
    default: 60,
    min: 1,
    max: 3600,
    unit: 'seconds',
    doc: 'Maximum time for a request to arrive; beyond it 408. CSV that is answered while it arrives may take longer, but must not pause for so long.'
  }),
  MAX_CONNECTIONS: integer({
    default: 4096,
    min: 1,
    max: 1_000_000,
    unit: 'connections',
    doc: 'Maximum number of open connections; further ones are closed at once. It also limits how many pipelined requests wait behind others, over all connections.'
  }),
  MAX_PIPELINED_REQUESTS: integer({
    default: 64,
    min: 1,
    max: 10_000,
    unit: 'requests',
    doc: 'Maximum number of requests of one connection that are unanswered, or whose replies are unread; beyond it the connection is closed.'
  }),
  UNREAD_REPLIES_BYTES: integer({
    default: 134_217_728,
    min: 1_048_576,
    max: 17_179_869_184,
    unit: 'bytes',
    doc: 'Maximum total of replies that clients have not read yet; beyond it the connections that wait longest are closed. One connection may hold a quarter of it, or one reply of any size.'
  }),
  UNREAD_REPLY_SECONDS: integer({
    default: 60,
    min: 1,
    max: 3600,
    unit: 'seconds',
    doc: 'How long a client may read nothing of a reply; then its connection is closed.'
  }),
  MAX_SENTENCES: integer({
    default: 2048,
    min: 1,
    max: 100_000,
    unit: 'sentences',
    doc: 'Maximum number of sentences in one request; beyond it 400.'
  }),
  MAX_TEXT_CHARACTERS: integer({
    default: 65_536,
    min: 256,
    max: 16_777_216,
    unit: 'characters',
    doc: 'Longest single text; beyond it 400. The model itself reads the first 256 tokens or so.'
  }),
  REPLY_CACHE_BYTES: integer({
    default: 25_165_824,
    min: 0,
    max: 17_179_869_184,
    unit: 'bytes',
    doc: 'Memory for the cache of replies, which evicts the least recently used; 0 turns it off.'
  }),
  ENCODE_MAX_AGE_SECONDS: integer({
    default: 3600,
    min: 0,
    max: 31_536_000,
    unit: 'seconds',
    doc: 'How long browsers and CloudFront may reuse a `GET /v1/encode` reply without asking; then its `ETag` answers 304 until the model changes.'
  }),
  BACKEND: oneOf(['local', 'aws'], {
    default: 'local',
    doc: 'Where jobs are kept: `local`, one SQLite file in `DATA_DIR`; `aws`, SQS, DynamoDB and S3, which need `JOBS_QUEUE_URL`, `JOBS_TABLE`, `MODELS_BUCKET` and the standard AWS variables.'
  }),
  JOBS_QUEUE_URL: text({
    default: undefined,
    pattern: /^https?:\/\/\S{1,2000}$/,
    bounds: 'the URL of an SQS standard queue',
    doc: 'Messages about jobs. Needed with `BACKEND=aws`.'
  }),
  JOBS_BULK_QUEUE_URL: text({
    default: undefined,
    pattern: /^https?:\/\/\S{1,2000}$/,
    bounds: 'the URL of an SQS standard queue',
    doc: 'Messages about bulk jobs. Without it they share the queue of the others.'
  }),
  JOBS_DEAD_LETTER_QUEUE_URL: text({
    default: undefined,
    pattern: /^https?:\/\/\S{1,2000}$/,
    bounds: 'the URL of an SQS standard queue',
    doc: 'Gets a copy of each dead letter, for an alarm; moving it back to its queue redrives the job. Without it none are sent.'
  }),
  JOBS_TABLE: text({
    default: undefined,
    pattern: /^[A-Za-z0-9_.-]{3,255}$/,
    bounds: 'the name of a DynamoDB table',
    doc:
      'Jobs, and the small items of mentors and models that change; `src/platform/job-resources.json` describes the table. ' +
      'Needed with `BACKEND=aws`.'
  }),
  MODELS_BUCKET: text({
    default: undefined,
    pattern: /^[a-z0-9.-]{3,63}$/,
    bounds: 'the name of an S3 bucket',
    doc:
      'Large inputs and results of jobs, below `jobs/`; mentors and models, below `mentors/` and `models/`. Needed with ' +
      '`BACKEND=aws`.'
  }),
  AWS_ENDPOINT_URL: text({
    default: undefined,
    pattern: /^https?:\/\/\S{1,2000}$/,
    bounds: 'a URL',
    doc: 'An emulator in place of AWS. The SDK also reads `AWS_ENDPOINT_URL_SQS`, `_DYNAMODB` and `_S3`.'
  }),
  AWS_ENDPOINT_URL_S3: text({
    default: undefined,
    pattern: /^https?:\/\/\S{1,2000}$/,
    bounds: 'a URL',
    doc: 'An emulator in place of S3 alone. With either of the two, the bucket stands in the path.'
  }),
  JOBS_CONCURRENCY: integer({
    default: 2,
    min: 0,
    max: 256,
    unit: 'jobs',
    doc: 'Maximum number of jobs that this process runs at a time; 0 leaves them to `npm run worker`.'
  }),
  JOBS_LEASE_SECONDS: integer({
    default: 30,
    min: 3,
    max: 43_200,
    unit: 'seconds',
    doc: 'A worker that sends no heartbeat for so long loses its job to another.'
  }),
  JOBS_BODY_LIMIT_BYTES: integer({
    default: 67_108_864,
    min: 1024,
    max: 268_435_456,
    unit: 'bytes',
    doc: 'Longest body of `POST /v1/jobs`; beyond it 413.'
  }),
  JOBS_MAX_BYTES: integer({
    default: 17_179_869_184,
    min: 1_048_576,
    max: 1_099_511_627_776,
    unit: 'bytes',
    doc: 'Maximum size of the SQLite file of jobs; beyond it jobs are refused with 503 until old ones expire, 20 days after they ended.'
  }),
  JOBS_RESERVE_BYTES: integer({
    default: 67_108_864,
    min: 0,
    max: 1_099_511_627_776,
    unit: 'bytes',
    doc: 'Free space, on the disk and below `JOBS_MAX_BYTES`, that is kept in reserve beside the expected results of accepted jobs. Jobs and trainings that would need it are refused with 503.'
  }),
  WEBHOOK_SECRET: text({
    default: undefined,
    pattern: /^[\x21-\x7e]{16,1024}$/,
    bounds: '16 or more characters of printable ASCII without spaces',
    isSecret: true,
    doc: 'Signs the notices to a `callbackUrl`; after `whsec_` it is base64, as Standard Webhooks has it. Without it no callbacks are accepted.'
  }),
  WEBHOOK_ALLOW_PRIVATE: flag({
    default: false,
    doc: 'Whether a `callbackUrl` may lead to an address of a private network. `true` lets every caller send requests into yours.'
  }),
  MENTOR_SOURCE: oneOf(['local', 'graphql'], {
    default: 'local',
    doc: 'Where mentors are: `local`, kept here; `graphql`, at a service that `GRAPHQL_ENDPOINT` names.'
  }),
  GRAPHQL_ENDPOINT: text({
    default: undefined,
    pattern: /^https?:\/\/[^\s@]{1,2000}$/,
    bounds: 'a URL without user name and password',
    doc: 'The GraphQL service of the mentors. Needed with `MENTOR_SOURCE=graphql`.'
  }),
  SECRET_HEADER_NAME: text({
    default: undefined,
    pattern:
      /^(?!authorization$|custom-external-origin$|content-|host$|connection$|transfer-encoding$)[A-Za-z0-9_-]{1,200}$/i,
    bounds: 'the name of a header that is not sent anyway',
    doc: 'Header by which the GraphQL service knows this one. Comes with `SECRET_HEADER_VALUE`.'
  }),
  SECRET_HEADER_VALUE: text({
    default: undefined,
    pattern: /^[\x21-\x7e]{1,1024}$/,
    bounds: 'printable ASCII without spaces',
    isSecret: true,
    doc: 'What that header holds. It also seals what waiting jobs keep of their callers, so all processes need the same.'
  }),
  GRAPHQL_TIMEOUT_SECONDS: integer({
    default: 10,
    min: 1,
    max: 300,
    unit: 'seconds',
    doc: 'How long one operation of the GraphQL service may take, retries included; beyond it 504.'
  }),
  GRAPHQL_REPLY_LIMIT_BYTES: integer({
    default: 67_108_864,
    min: 1024,
    max: 1_073_741_824,
    unit: 'bytes',
    doc: 'Longest reply of the GraphQL service; beyond it 502.'
  }),
  MENTOR_FRESH_SECONDS: integer({
    default: 60,
    min: 0,
    max: 86_400,
    unit: 'seconds',
    doc: 'How long a cached mentor of the GraphQL service counts as fresh. After that it still answers while it is read again.'
  }),
  MENTOR_MAX_AGE_SECONDS: integer({
    default: 604_800,
    min: 0,
    max: 31_536_000,
    unit: 'seconds',
    doc: 'Maximum age of a cached mentor that still answers while the GraphQL service cannot be read.'
  }),
  OFF_TOPIC_THRESHOLD: decimal({
    default: -0.631,
    min: -1000,
    max: 1000,
    doc: 'Decision value below which a model of the architecture `ridge` takes a question as off topic; `softmax` learns its own.'
  }),
  MENTOR_BODY_LIMIT_BYTES: integer({
    default: 52_428_800,
    min: 1024,
    max: 268_435_456,
    unit: 'bytes',
    doc: 'Longest body of `PUT /mentors/{mentor}`; beyond it 413.'
  }),
  MENTOR_CACHE_BYTES: integer({
    default: 134_217_728,
    min: 1_048_576,
    max: 17_179_869_184,
    unit: 'bytes',
    doc: 'Memory for the cache of mentors’ texts, which evicts the least recently asked.'
  }),
  LOADED_MODELS_BYTES: integer({
    default: 268_435_456,
    min: 1_048_576,
    max: 17_179_869_184,
    unit: 'bytes',
    doc: 'Memory for the cache of trained models, which evicts the least recently asked.'
  }),
  MAX_MODEL_VERSIONS: integer({
    default: 20,
    min: 2,
    max: 10_000,
    unit: 'versions',
    doc: 'Versions kept of each model; older ones are deleted, but never the live one.'
  }),
  PROMOTION_MARGIN_PERCENT: integer({
    default: 2,
    min: 0,
    max: 100,
    unit: 'percent',
    doc: 'A new version that answers fewer of the same held-out questions right than the live one, by more than this share of them, is kept but not promoted.'
  }),
  CLASSIFIER_BODY_LIMIT_BYTES: integer({
    default: 67_108_864,
    min: 1024,
    max: 1_073_741_824,
    unit: 'bytes',
    doc: 'Longest table to train a classifier on, CSV to predict by or version to import; beyond it 413.'
  }),
  MAX_TRAINING_ROWS: integer({
    default: 100_000,
    min: 2,
    max: 10_000_000,
    unit: 'rows',
    doc: 'Maximum number of rows of a table to train a classifier on; beyond it 413.'
  }),
  MAX_TRAINING_COLUMNS: integer({
    default: 100,
    min: 1,
    max: 10_000,
    unit: 'columns',
    doc: 'Maximum number of columns beside the label of a table to train a classifier on; beyond it 413.'
  }),
  ONNX_PROCESSES: integer({
    default: 1,
    min: 0,
    max: 64,
    unit: 'processes',
    doc: 'Processes for models that users bring as ONNX, started when needed; 0 accepts no such models.'
  }),
  ONNX_MEMORY_BYTES: integer({
    default: 536_870_912,
    min: 268_435_456,
    max: 68_719_476_736,
    unit: 'bytes',
    doc: 'Resident memory of such a process, Node.js and onnxruntime included; beyond it the process is killed and the request answered 422.'
  }),
  ONNX_TIME_LIMIT_MS: integer({
    default: 5000,
    min: 100,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'Longest time that such a model may take for up to 256 rows, or to be loaded; beyond it the process is killed and the request answered 422.'
  }),
  ONNX_BODY_LIMIT_BYTES: integer({
    default: 67_108_864,
    min: 1024,
    max: 1_073_741_824,
    unit: 'bytes',
    doc: 'Longest ONNX file to bring, with its signature; beyond it 413.'
  }),
  MAX_CACHED_EMBEDDINGS: integer({
    default: 200_000,
    min: 0,
    max: 100_000_000,
    unit: 'texts',
    doc: 'Embeddings cached for later trainings, about 2 KB of disk each; the oldest are evicted first.'
  }),
  MAX_ANSWER_RECORDS: integer({
    default: 1_000_000,
    min: 0,
    max: 1_000_000_000,
    unit: 'records',
    doc: 'Asked questions kept, with their answers; the oldest are deleted first.'
  }),
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
    doc: 'Where a function of AWS Lambda gets its calls; Lambda sets it.'
  }),
  ECS_AGENT_URI: text({
    default: undefined,
    pattern: /^http:\/\/[^\s\0]{1,1000}$/,
    bounds: 'an http URL',
    doc: 'Where a worker on ECS protects its task from being stopped while a long job is at work; ECS sets it.'
  }),
  SEMANTIC_DEDUP: flag({
    default: false,
    doc: 'Whether to leave out followup questions that mean about the same as another one, or as a question that is answered (cosine above 0.92).'
  }),
  POP_CULTURE_FILE: text({
    default: undefined,
    pattern: /^[^\0]{1,4096}$/,
    bounds: 'a path',
    doc: 'Names that everybody knows, one on each line; followup questions about them are ranked lower.'
  }),
  WORKER_PORT: integer({
    default: 8081,
    min: 0,
    max: 65_535,
    doc: 'Port of health and metrics of `npm run worker`; 0 takes any free one.'
  }),
  SHUTDOWN_DEADLINE_SECONDS: integer({
    default: 25,
    min: 1,
    max: 3600,
    unit: 'seconds',
    doc: 'How long a SIGTERM waits for requests in progress; then the process is killed.'
  })
} as const

/** The settings by their names, as types. */
export type SettingName = keyof typeof SETTINGS

type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<CamelCase<Tail>>}`
  : Lowercase<Name>

/** All settings, checked: `MAX_SENTENCES` is `maxSentences`. */
export type Config = {
  readonly [Name in SettingName as CamelCase<Name>]: (typeof SETTINGS)[Name] extends Setting<infer Value>
    ? Value
    : never
}
