/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Styles of every plot: text, ground and grid, in the reader's light or dark setting. */
const FRAME_CSS =
  'text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:14px}.ground{fill:#fff}' +
  '.grid{stroke:#d0d7de;fill:none}'
const DARK_FRAME_CSS = 'text{fill:#e6edf3}.ground{fill:#0d1117}.grid{stroke:#30363d}'

/** A plot, and what its own marks look like. */
export interface Drawing {
  readonly width: number
  readonly height: number
  /** What it shows, for those who cannot see it. */
  readonly label: string
  readonly css: string
  /** What differs in the dark setting. */
  readonly darkCss: string
  readonly content: readonly string[]
}

/** A document of SVG. */
export function svgDocument({ width, height, label, css, darkCss, content }: Drawing): string {
  const dark = `@media (prefers-color-scheme:dark){${DARK_FRAME_CSS}${darkCss}}`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeXml(label)}">`,
    `<style>${FRAME_CSS}${css}${dark}</style>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    ...content,
    '</svg>',
    ''
  ].join('\n')
}

/** A text as it stands in XML, also in an attribute. */
export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
