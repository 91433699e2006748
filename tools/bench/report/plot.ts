/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { escapeXml, svgDocument } from '../../../src/cli/svg.ts'

/** A line of a plot. */
export interface Series {
  readonly title: string
  /** All coordinates are above zero. */
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

/** One of a figure's plots; all of a figure share their horizontal axis and their series. */
export interface Panel {
  readonly title: string
  readonly series: readonly Series[]
}

const PANEL_WIDTH = 400
const PANEL_HEIGHT = 300
const MARGIN = { left: 56, right: 20, top: 40, bottom: 44 }
const LEGEND_LINE_HEIGHT = 20
const LEGEND_COLUMNS = 2

/** Colours that people with any kind of colour vision tell apart (Okabe and Ito), for light and for dark ground. */
const COLOURS = [
  { light: '#d55e00', dark: '#ff8c42' },
  { light: '#0072b2', dark: '#56b4e9' },
  { light: '#009e73', dark: '#2fd6a3' },
  { light: '#5b8c00', dark: '#a6d854' },
  { light: '#a0457a', dark: '#e78ac3' },
  { light: '#6a51a3', dark: '#b3a2e6' },
  { light: '#8c6d00', dark: '#e6c229' }
] as const

/**
 * Draws plots side by side, both axes logarithmic, with one legend below; as an SVG that follows the reader's light or
 * dark setting. The first series is drawn the heaviest: it is the one that the figure is about.
 * @param xTitle what the horizontal axes count
 */
export function plotOf(panels: readonly Panel[], xTitle = 'clients'): string {
  const series = panels[0]?.series ?? []
  const legendTop = MARGIN.top + PANEL_HEIGHT + MARGIN.bottom
  const width = panels.length * (MARGIN.left + PANEL_WIDTH + MARGIN.right)
  const height = legendTop + Math.ceil(series.length / LEGEND_COLUMNS) * LEGEND_LINE_HEIGHT + 12
  return svgDocument({
    width,
    height,
    label: panels.map(({ title }) => title).join('; '),
    css: `.line{fill:none;stroke-width:1.8}.ours{stroke-width:3.5}${coloursOf('light')}`,
    darkCss: coloursOf('dark'),
    content: [
      ...panels.map((panel, index) => panelOf(panel, index * (MARGIN.left + PANEL_WIDTH + MARGIN.right), xTitle)),
      ...series.map(({ title }, index) => {
        const x = MARGIN.left + (index % LEGEND_COLUMNS) * (width / LEGEND_COLUMNS)
        const y = legendTop + Math.floor(index / LEGEND_COLUMNS) * LEGEND_LINE_HEIGHT + 8
        return `<path class="${classOf(index)}" d="M${x} ${y}h28"/><text x="${x + 36}" y="${y + 4}">${escapeXml(title)}</text>`
      })
    ]
  })
}

function coloursOf(setting: 'light' | 'dark'): string {
  return COLOURS.map((colour, index) => `.s${index}{stroke:${colour[setting]};color:${colour[setting]}}`).join('')
}

function panelOf({ title, series }: Panel, left: number, xTitle: string): string {
  const points = series.flatMap((line) => line.points)
  const xTicks = [...new Set(points.map(({ x }) => x))].toSorted((a, b) => a - b)
  const yTicks = ticksOf(points.map(({ y }) => y))
  const x = scaleOf(xTicks[0] ?? 1, xTicks.at(-1) ?? 1, left + MARGIN.left, left + MARGIN.left + PANEL_WIDTH)
  const y = scaleOf(yTicks[0] ?? 1, yTicks.at(-1) ?? 1, MARGIN.top + PANEL_HEIGHT, MARGIN.top)
  const bottom = MARGIN.top + PANEL_HEIGHT
  return [
    `<text class="title" x="${left + MARGIN.left}" y="${MARGIN.top - 16}">${escapeXml(title)}</text>`,
    ...yTicks.map(
      (tick) =>
        `<path class="grid" d="M${left + MARGIN.left} ${y(tick)}h${PANEL_WIDTH}"/><text x="${left + MARGIN.left - 8}" y="${y(tick) + 4}" text-anchor="end">${tick.toLocaleString('en')}</text>`
    ),
    ...xTicks.map(
      (tick) =>
        `<path class="grid" d="M${x(tick)} ${MARGIN.top}v${PANEL_HEIGHT}"/><text x="${x(tick)}" y="${bottom + 18}" text-anchor="middle">${tick}</text>`
    ),
    `<text x="${left + MARGIN.left + PANEL_WIDTH / 2}" y="${bottom + 36}" text-anchor="middle">${escapeXml(xTitle)}</text>`,
    // The first on top of the others.
    ...series
      .map((line, index) => {
        const path = line.points.map((point) => `${x(point.x)} ${y(point.y)}`).join('L')
        return path === '' ? '' : `<path class="${classOf(index)}" d="M${path}"/>`
      })
      .toReversed()
  ].join('\n')
}

function classOf(index: number): string {
  return `line s${index % COLOURS.length}${index === 0 ? ' ours' : ''}`
}

/** 1, 2 and 5 times the powers of ten that hold the values; `ticksOf([3, 40])` gives 2, 5, 10, 20, 50. */
export function ticksOf(values: readonly number[]): number[] {
  const min = Math.min(...values)
  const max = Math.max(...values)
  if (!(min > 0 && Number.isFinite(max))) return []
  const ticks: number[] = []
  for (let exponent = Math.floor(Math.log10(min)); ; exponent += 1) {
    for (const digit of [1, 2, 5]) {
      const tick = Number((digit * 10 ** exponent).toPrecision(1))
      if (tick <= min) ticks.length = 0
      ticks.push(tick)
      if (tick >= max && ticks.length > 1) return ticks
    }
  }
}

/** A logarithmic scale, in tenths of a pixel. */
function scaleOf(from: number, to: number, start: number, end: number): (value: number) => number {
  const span = Math.log(to / from) || 1
  return (value) => Math.round((start + ((end - start) * Math.log(value / from)) / span) * 10) / 10
}
