/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { CalibrationBin } from '../learning/evaluation.ts'
import type { NamedReport } from '../learning/named-report.ts'
import type { LearningPoint } from '../versions/version-trainer.ts'
import { escapeXml, svgDocument } from './svg.ts'

/** Maximum number of classes of a readable confusion matrix; of more, those with the most confusions are shown. */
const MAX_CLASSES = 30
const MAX_LABEL_CHARACTERS = 24
const CELL = 26
/** Approximate width of a character of a title. */
const TITLE_CHARACTER = 9
const PLOT = 320
const MARGIN = { left: 64, right: 24, top: 48, bottom: 52 }
const AXIS_STEPS = [0, 0.2, 0.4, 0.6, 0.8, 1] as const
/** Radius of the point of a bin that holds all questions. */
const LARGEST_POINT = 16
const SMALLEST_POINT = 2

/** People with any kind of colour vision can distinguish blue and orange. */
const CSS = '.line{stroke:#0072b2;stroke-width:2;fill:none}.right{fill:#0072b2}.wrong{fill:#d55e00}'
const DARK_CSS = '.line{stroke:#56b4e9}.right{fill:#56b4e9}.wrong{fill:#ff8c42}'

/**
 * Draws the confusion matrix: rows are true classes, columns predicted ones. A cell shows its count, and is the darker
 * the larger its share of the row.
 */
export function confusionMatrixSvg(report: Pick<NamedReport, 'classes' | 'confusions' | 'accuracy'>): string {
  const counts = countsOf(report)
  const shown = mostMixedUp(report, counts)
  const longest = Math.max(...shown.map((name) => cut(name).length), 1)
  const margin = longest * 7 + 24
  const size = shown.length * CELL
  const cells = shown.flatMap((label, row) => {
    const ofRow = counts.get(label)
    const support = [...(ofRow?.values() ?? [])].reduce((sum, count) => sum + count, 0)
    return shown.flatMap((predicted, column) => {
      const count = ofRow?.get(predicted) ?? 0
      if (count === 0) return []
      const x = margin + column * CELL
      const y = margin + MARGIN.top + row * CELL
      const kind = label === predicted ? 'right' : 'wrong'
      const opacity = rounded(0.15 + (0.6 * count) / support)
      return [
        `<rect class="${kind}" x="${x}" y="${y}" width="${CELL}" height="${CELL}" opacity="${opacity}"><title>${escapeXml(`${label} → ${predicted}: ${count}`)}</title></rect>`,
        `<text x="${x + CELL / 2}" y="${y + CELL / 2 + 4}" text-anchor="middle">${count}</text>`
      ]
    })
  })
  const names = shown.flatMap((name, index) => {
    const at = (index + 0.5) * CELL
    const column = margin + at
    return [
      `<text x="${margin - 8}" y="${margin + MARGIN.top + at + 4}" text-anchor="end">${escapeXml(cut(name))}</text>`,
      `<text transform="translate(${column + 4} ${margin + MARGIN.top - 8}) rotate(-90)">${escapeXml(cut(name))}</text>`
    ]
  })
  const left = report.classes.length - shown.length
  const title =
    `Confusion matrix: own class down, predicted across${left > 0 ? `; ${left} classes that are mixed up least left out` : ''}` +
    (report.accuracy === null ? '' : `; ${percent(report.accuracy)} right`)
  const frame = `<rect class="grid" x="${margin}" y="${margin + MARGIN.top}" width="${size}" height="${size}"/>`
  const width = Math.max(margin + size + MARGIN.right, title.length * TITLE_CHARACTER + 2 * MARGIN.right)
  return svg(width, margin + MARGIN.top + size + MARGIN.right, title, [frame, ...cells, ...names])
}

/**
 * Draws the reliability diagram: accuracy over confidence, with the diagonal as perfect calibration. A point's area is
 * proportional to its number of questions.
 */
export function calibrationSvg(bins: readonly CalibrationBin[], error: number): string {
  const total = bins.reduce((sum, { count }) => sum + count, 0)
  const points = bins.map(({ count, meanConfidence, accuracy }) => {
    const radius = Math.max(SMALLEST_POINT, LARGEST_POINT * Math.sqrt(count / total))
    const said = `${count} at ${percent(meanConfidence)}: ${percent(accuracy)} right`
    return `<circle class="right" cx="${across(meanConfidence)}" cy="${up(accuracy)}" r="${rounded(radius)}" opacity="0.7"><title>${said}</title></circle>`
  })
  const diagonal = `<path class="grid" stroke-dasharray="4" d="M${across(0)} ${up(0)}L${across(1)} ${up(1)}"/>`
  const xTicks = AXIS_STEPS.map((step) => ({ at: across(step), text: percent(step) }))
  return chart(`Calibration: expected error ${percent(error)}`, 'confidence', 'right', xTicks, [diagonal, ...points])
}

/** Draws the learning curve: out-of-fold accuracy over the number of training samples. */
export function learningCurveSvg(curve: readonly LearningPoint[]): string {
  const points = curve.flatMap(({ sampleCount, accuracy }) => (accuracy === null ? [] : [{ sampleCount, accuracy }]))
  const most = Math.max(...points.map(({ sampleCount }) => sampleCount), 1)
  const at = ({ sampleCount, accuracy }: { sampleCount: number; accuracy: number }) => ({
    x: across(sampleCount / most),
    y: up(accuracy)
  })
  const line = points.map((point) => `${at(point).x} ${at(point).y}`).join('L')
  const dots = points.map((point) => {
    const { x, y } = at(point)
    const said = `${point.sampleCount} samples: ${percent(point.accuracy)} right`
    return `<circle class="right" cx="${x}" cy="${y}" r="4"><title>${said}</title></circle>`
  })
  const xTicks = points.map(({ sampleCount }) => ({ at: across(sampleCount / most), text: String(sampleCount) }))
  const path = line === '' ? '' : `<path class="line" d="M${line}"/>`
  return chart('Learning curve: share right, out of fold', 'samples', 'right', xTicks, [path, ...dots])
}

/** Counts the questions of each class by predicted class. */
function countsOf({ classes, confusions }: Pick<NamedReport, 'classes' | 'confusions'>) {
  const counts = new Map(classes.map(({ classId, support }) => [classId, new Map([[classId, support]])]))
  for (const { classId, predictedId, count } of confusions) {
    const ofRow = counts.get(classId)
    ofRow?.set(predictedId, count)
    ofRow?.set(classId, (ofRow.get(classId) ?? 0) - count)
  }
  return counts
}

/** Classes to show, in the report's order. */
function mostMixedUp({ classes, confusions }: Pick<NamedReport, 'classes' | 'confusions'>, counts: CountsByClass) {
  const mixedUp = new Map([...counts.keys()].map((classId) => [classId, 0]))
  for (const { classId, predictedId, count } of confusions) {
    for (const one of [classId, predictedId]) mixedUp.set(one, (mixedUp.get(one) ?? 0) + count)
  }
  const kept = [...mixedUp].toSorted(([, a], [, b]) => b - a).slice(0, MAX_CLASSES)
  const names = new Set(kept.map(([classId]) => classId))
  return classes.map(({ classId }) => classId).filter((classId) => names.has(classId))
}

type CountsByClass = ReadonlyMap<string, ReadonlyMap<string, number>>

/** A plot with shares, 0 to 1, on the vertical axis. */
function chart(
  title: string,
  xTitle: string,
  yTitle: string,
  xTicks: readonly { readonly at: number; readonly text: string }[],
  content: readonly string[]
): string {
  const bottom = MARGIN.top + PLOT
  const grid = [
    ...AXIS_STEPS.map(
      (step) =>
        `<path class="grid" d="M${MARGIN.left} ${up(step)}h${PLOT}"/><text x="${MARGIN.left - 8}" y="${up(step) + 4}" text-anchor="end">${percent(step)}</text>`
    ),
    ...xTicks.map(
      ({ at, text }) =>
        `<path class="grid" d="M${at} ${MARGIN.top}v${PLOT}"/><text x="${at}" y="${bottom + 18}" text-anchor="middle">${text}</text>`
    ),
    `<text x="${MARGIN.left + PLOT / 2}" y="${bottom + 38}" text-anchor="middle">${xTitle}</text>`,
    `<text transform="translate(16 ${MARGIN.top + PLOT / 2}) rotate(-90)" text-anchor="middle">${yTitle}</text>`
  ]
  return svg(MARGIN.left + PLOT + MARGIN.right, bottom + MARGIN.bottom, title, [...grid, ...content])
}

function svg(width: number, height: number, title: string, content: readonly string[]): string {
  const heading = `<text class="title" x="16" y="24">${escapeXml(title)}</text>`
  return svgDocument({ width, height, label: title, css: CSS, darkCss: DARK_CSS, content: [heading, ...content] })
}

function across(share: number): number {
  return rounded(MARGIN.left + share * PLOT)
}

function up(share: number): number {
  return rounded(MARGIN.top + (1 - share) * PLOT)
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}

function percent(share: number): string {
  return `${rounded(share * 100)}%`
}

function cut(name: string): string {
  return name.length > MAX_LABEL_CHARACTERS ? `${name.slice(0, MAX_LABEL_CHARACTERS - 1)}…` : name
}
