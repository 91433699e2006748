/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Styles of every plot: text, background and grid, for light and dark color schemes. */
const FRAME_CSS =
  'text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:14px}.ground{fill:#fff}' +
  '.grid{stroke:#d0d7de;fill:none}'
const DARK_FRAME_CSS = 'text{fill:#e6edf3}.ground{fill:#0d1117}.grid{stroke:#30363d}'

/** A plot and the styles of its own marks. */
export interface Drawing {
  readonly width: number
  readonly height: number
  /** Description of the plot for screen readers. */
  readonly label: string
  readonly css: string
  /** Styles for the dark color scheme. */
  readonly darkCss: string
  readonly content: readonly string[]
}

/** Makes an SVG document. */
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

/** Escapes a text for XML, attributes included. */
export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
