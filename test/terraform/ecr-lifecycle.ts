/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** An image of a repository. */
export interface RepositoryImage {
  readonly digest: string
  readonly tags: readonly string[]
  /** Digests that an index names: they stay as long as it does. */
  readonly parts?: readonly string[]
}

interface Rule {
  readonly rulePriority: number
  readonly selection: {
    readonly tagStatus: string
    readonly tagPrefixList?: readonly string[]
    readonly countType: string
    readonly countNumber: number
  }
}

/**
 * The images that are left after Amazon ECR has applied a lifecycle policy. An image that a rule selects by its tags is not expired by a rule
 * of a later priority, which still counts it.
 * Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
 * @param images oldest first
 * @throws {RangeError} at a rule that it does not know
 */
export function keptImages(policy: string, images: readonly RepositoryImage[]): readonly RepositoryImage[] {
  const { rules }: { rules: Rule[] } = JSON.parse(policy)
  const claimed = new Set<string>()
  const expired = new Set<string>()
  for (const { selection } of rules.toSorted((a, b) => a.rulePriority - b.rulePriority)) {
    if (selection.countType !== 'imageCountMoreThan')
      throw new RangeError(`Cannot simulate the rule: unknown count "${selection.countType}"`)
    const selected = images.filter((image) => isSelected(selection, image))
    const surplus = Math.max(0, selected.length - selection.countNumber)
    for (const { digest } of selected.slice(0, surplus)) if (!claimed.has(digest)) expired.add(digest)
    if (selection.tagStatus !== 'any') for (const { digest } of selected) claimed.add(digest)
  }
  const held = new Set(images.filter(({ digest }) => !expired.has(digest)).flatMap(({ parts = [] }) => parts))
  return images.filter(({ digest }) => !expired.has(digest) || held.has(digest))
}

function isSelected({ tagStatus, tagPrefixList = [] }: Rule['selection'], { tags }: RepositoryImage): boolean {
  if (tagStatus === 'any') return true
  if (tagStatus !== 'tagged') throw new RangeError(`Cannot simulate the rule: unknown tag status "${tagStatus}"`)
  return tagPrefixList.every((prefix) => tags.some((tag) => tag.startsWith(prefix)))
}
