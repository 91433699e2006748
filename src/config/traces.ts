/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** OpenTelemetry's names of the supported samplers. */
export const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio'
] as const

const PROTOCOLS = ['http/protobuf', 'http/json'] as const

const PROPAGATORS = ['tracecontext', 'baggage', 'none'] as const

/** Describes a valid list of pairs. */
export const PAIRS_BOUNDS = '`name=value` pairs, comma separated, values percent-encoded'

/** The settings that {@link wantsTraces} and {@link tracingProblems} read. */
interface TracingChoice {
  readonly otelSdkDisabled: boolean
  readonly otelTracesExporter: string | undefined
  readonly otelExporterOtlpEndpoint: string | undefined
  readonly otelExporterOtlpTracesEndpoint: string | undefined
  readonly otelExporterOtlpProtocol: string
  readonly otelExporterOtlpTracesProtocol: string | undefined
  readonly otelExporterOtlpHeaders: string | undefined
  readonly otelExporterOtlpTracesHeaders: string | undefined
  readonly otelResourceAttributes: string | undefined
  readonly otelTracesSampler: string
  readonly otelTracesSamplerArg: string | undefined
  readonly otelPropagators: string
}

/** Whether the settings ask for traces to be sent. */
export function wantsTraces(config: TracingChoice): boolean {
  if (config.otelSdkDisabled || config.otelTracesExporter === 'none') return false
  const endpoint = config.otelExporterOtlpTracesEndpoint ?? config.otelExporterOtlpEndpoint
  return config.otelTracesExporter !== undefined || endpoint !== undefined
}

/** Problems with the settings of traces, one line for each; none when no traces are sent. */
export function tracingProblems(config: TracingChoice): string[] {
  if (!wantsTraces(config)) return []
  const problems: string[] = []
  const wantOneOf = (name: string, choices: readonly string[], given: string | undefined): void => {
    if (given !== undefined && !choices.includes(given)) problems.push(`${name}: want one of ${choices.join(', ')}`)
  }
  wantOneOf('OTEL_TRACES_EXPORTER', ['otlp', 'console', 'none'], config.otelTracesExporter)
  wantOneOf('OTEL_TRACES_SAMPLER', SAMPLERS, config.otelTracesSampler)
  for (const each of listOf(config.otelPropagators)) wantOneOf('OTEL_PROPAGATORS', PROPAGATORS, each)
  if (config.otelTracesExporter !== 'console') {
    const isOwn = config.otelExporterOtlpTracesProtocol !== undefined
    const name = isOwn ? 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL' : 'OTEL_EXPORTER_OTLP_PROTOCOL'
    wantOneOf(name, PROTOCOLS, config.otelExporterOtlpTracesProtocol ?? config.otelExporterOtlpProtocol)
  }
  for (const [name, given] of [
    ['OTEL_EXPORTER_OTLP_HEADERS', config.otelExporterOtlpHeaders],
    ['OTEL_EXPORTER_OTLP_TRACES_HEADERS', config.otelExporterOtlpTracesHeaders],
    ['OTEL_RESOURCE_ATTRIBUTES', config.otelResourceAttributes]
  ] as const) {
    if (pairsOf(given) === undefined) problems.push(`${name}: want ${PAIRS_BOUNDS.replaceAll('`', '')}`)
  }
  const ratio = Number(config.otelTracesSamplerArg ?? 1)
  if (config.otelTracesSampler.endsWith('traceidratio') && !(ratio >= 0 && ratio <= 1)) {
    problems.push('OTEL_TRACES_SAMPLER_ARG: want a number, 0 to 1')
  }
  return problems
}

/** Splits a comma-separated list. */
export function listOf(given: string): string[] {
  return given
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** Parses `a=1,b=two%20words`. @returns undefined when the list is not valid */
export function pairsOf(given: string | undefined): Readonly<Record<string, string>> | undefined {
  const pairs = new Map<string, string>()
  for (const item of listOf(given ?? '')) {
    const [, name = '', value = ''] = /^([^=\s]+)\s*=\s*(.*)$/.exec(item) ?? []
    if (name === '') return undefined
    try {
      pairs.set(name, decodeURIComponent(value))
    } catch {
      return undefined
    }
  }
  return Object.fromEntries(pairs)
}
