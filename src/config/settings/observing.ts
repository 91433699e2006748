/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { integer, oneOf, text } from '../setting.ts'

/** Settings of metrics, error reports and the log. */
export const OBSERVING_SETTINGS = {
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
    doc: 'Whether the metrics of `/metrics` are also written to the standard output: `emf` writes lines from which CloudWatch makes metrics.'
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
  })
} as const
