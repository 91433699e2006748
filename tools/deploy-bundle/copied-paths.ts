/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/**
 * Paths that a Dockerfile takes from its build context, by COPY or as a bind mount; not what one stage takes from another.
 *
 * `COPY src src` and `RUN --mount=type=bind,source=a.ts,target=/b.ts node /b.ts` give `['src', 'a.ts']`.
 */
export function copiedPaths(dockerfile: string): string[] {
  const paths = new Set<string>()
  const lines = dockerfile
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
  for (const line of lines) {
    const [instruction = '', ...words] = line.trim().split(/\s+/)
    const flags = words.filter((word) => word.startsWith('--'))
    if (instruction === 'COPY' && !flags.some((flag) => flag.startsWith('--from='))) {
      const sources = words.slice(flags.length, -1)
      for (const source of sources) paths.add(source.replace(/\/$/, ''))
    }
    for (const flag of flags) {
      if (!flag.startsWith('--mount=') || flag.includes('from=')) continue
      const [, source] = /[=,](?:source|src)=([^,]+)/.exec(flag) ?? []
      if (source !== undefined) paths.add(source)
    }
  }
  return [...paths]
}
