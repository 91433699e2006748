/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** What an image is to be built upon. */
export interface BaseImage {
  /** As the build names it. */
  readonly reference: string
  /** Version of the Node.js in it. */
  readonly nodeVersion: string
  /** The oldest version that may be shipped. */
  readonly minimumNode: string
  /** Whether a reference that may mean something else tomorrow is refused. */
  readonly requiresDigest: boolean
}

/** What is wrong with a base image: problems end the build, warnings do not. */
export function judgeBaseImage(base: BaseImage): { problems: string[]; warnings: string[] } {
  const problems: string[] = []
  const warnings: string[] = []
  if (base.nodeVersion.localeCompare(base.minimumNode, 'en', { numeric: true }) < 0) {
    problems.push(`it has Node.js ${base.nodeVersion}, but ${base.minimumNode} or newer is needed`)
  }
  if (!/@sha256:[0-9a-f]{64}$/.test(base.reference)) {
    const found = `${base.reference} is not named by its digest (name@sha256:…), so the next build may stand on another`
    ;(base.requiresDigest ? problems : warnings).push(found)
  }
  return { problems, warnings }
}

if (import.meta.main) {
  const [reference = '', requiresDigest = 'no', minimumNode = ''] = process.argv.slice(2)
  const { problems, warnings } = judgeBaseImage({
    reference,
    nodeVersion: process.versions.node,
    minimumNode,
    requiresDigest: requiresDigest === 'yes'
  })
  for (const warning of warnings) process.stderr.write(`Warning about the base image: ${warning}\n`)
  for (const problem of problems) process.stderr.write(`Cannot build on this base image: ${problem}\n`)
  if (problems.length > 0) process.exitCode = 1
}
