/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

interface TabsProps {
  readonly label: string
  readonly tabs: readonly {
    readonly name: string
    readonly title: string
    readonly href: string
    readonly count?: number
  }[]
  readonly current: string
}

/** Parts of a screen, each with its address. */
export function Tabs({ label, tabs, current }: TabsProps) {
  return (
    <nav class="tabs" aria-label={label}>
      <ul>
        {tabs.map(({ name, title, href, count }) => (
          <li key={name}>
            <a href={href} aria-current={name === current ? 'page' : undefined}>
              {title}
              {count !== undefined && count > 0 && <span class="tag">{count}</span>}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}
