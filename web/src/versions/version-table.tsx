/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { formatPercent } from '../parts/format.ts'
import { ScrollRegion } from '../parts/scroll-region.tsx'
import { texts } from '../texts.ts'
import type { ModelVersion, VersionList } from './version-calls.ts'

interface VersionActions {
  readonly isBusy: boolean
  readonly onCompare: (from: number, to: number) => void
  readonly onPromote: (version: number) => void
  readonly onExport: (version: number) => void
}

/** Versions side by side, the newest first. */
export function VersionTable({ list, ...actions }: { readonly list: VersionList } & VersionActions) {
  const { columns } = texts.versions
  return (
    <ScrollRegion label={texts.versions.title}>
      <table class="list">
        <thead>
          <tr>
            <th scope="col">{columns.version}</th>
            <th scope="col">{columns.trained}</th>
            <th scope="col">{columns.architecture}</th>
            <th scope="col" class="end">
              {columns.samples}
            </th>
            <th scope="col" class="end">
              {columns.accuracy}
            </th>
            <th scope="col" class="end">
              {columns.offTopicRefused}
            </th>
            <th scope="col">{columns.actions}</th>
          </tr>
        </thead>
        <tbody>
          {list.versions.map((version) => (
            <VersionRow key={version.version} version={version} live={list.live} {...actions} />
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  )
}

interface VersionRowProps extends VersionActions {
  readonly version: ModelVersion
  readonly live: number | null
}

function VersionRow({ version, live, isBusy, onCompare, onPromote, onExport }: VersionRowProps) {
  const { version: number, isLive, created, architecture, sampleCount, classCount, figures } = version
  return (
    <tr>
      <td class="number">
        {number} {isLive && <span class="tag tag-good">{texts.versions.live}</span>}
      </td>
      <td class="number">{new Date(created).toLocaleString()}</td>
      <td>{architecture}</td>
      <td class="end number">
        {sampleCount} <span class="muted">/ {classCount}</span>
      </td>
      <td class="end number">{formatPercent(figures.accuracy)}</td>
      <td class="end number">{formatPercent(figures.offTopicRefused)}</td>
      <td>
        <div class="row tight">
          {live !== null && !isLive && (
            <>
              <button
                type="button"
                class="small"
                disabled={isBusy}
                aria-label={texts.versions.compareLabel(number)}
                onClick={() => onCompare(live, number)}
              >
                {texts.versions.compare}
              </button>
              <button
                type="button"
                class="small"
                disabled={isBusy}
                aria-label={texts.versions.promoteLabel(number)}
                onClick={() => onPromote(number)}
              >
                {texts.versions.promote}
              </button>
            </>
          )}
          <button
            type="button"
            class="small plain"
            disabled={isBusy}
            aria-label={texts.versions.exportLabel(number)}
            onClick={() => onExport(number)}
          >
            {texts.versions.export}
          </button>
        </div>
      </td>
    </tr>
  )
}
