/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** One line of a plot. */
export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
  /** Shows its points too, with an area for their weight, 0 to 1. */
  readonly weights?: readonly number[]
}

interface LinePlotProps {
  readonly caption: string
  readonly xLabel: string
  readonly yLabel: string
  readonly series: readonly Series[]
  /** Ends of the axes; 0 to 1 when left out. */
  readonly xRange?: readonly [number, number]
  readonly yRange?: readonly [number, number]
  /** A value of x that matters, with its name. */
  readonly mark?: { readonly x: number; readonly name: string }
  /** A line from corner to corner: what would be perfect. */
  readonly diagonal?: boolean
  /** Whether the numbers are also in a table, for those who do not see the plot. @default true */
  readonly isTabulated?: boolean
  readonly formatX?: (x: number) => string
  readonly formatY?: (y: number) => string
}

const WIDTH = 420
const HEIGHT = 260
const LEFT = 46
const RIGHT = 20
const TOP = 12
const BOTTOM = 42
const TICKS = [0, 0.25, 0.5, 0.75, 1]

function asPercent(share: number): string {
  return `${Math.round(share * 100)}%`
}

/** Where values are drawn. */
interface Plane {
  readonly xRange: readonly [number, number]
  readonly yRange: readonly [number, number]
  readonly xOf: (x: number) => number
  readonly yOf: (y: number) => number
}

function planeOf(xRange: Plane['xRange'], yRange: Plane['yRange']): Plane {
  const [xLow, xHigh] = xRange
  const [yLow, yHigh] = yRange
  return {
    xRange,
    yRange,
    xOf: (x) => LEFT + ((x - xLow) / (xHigh - xLow || 1)) * (WIDTH - LEFT - RIGHT),
    yOf: (y) => HEIGHT - BOTTOM - ((y - yLow) / (yHigh - yLow || 1)) * (HEIGHT - TOP - BOTTOM)
  }
}

/** Lines over a plane, with axes and a legend; the numbers are in a table for those who do not see it. */
export function LinePlot({
  caption,
  xLabel,
  yLabel,
  series,
  xRange = [0, 1],
  yRange = [0, 1],
  mark,
  diagonal = false,
  isTabulated = true,
  formatX = asPercent,
  formatY = asPercent
}: LinePlotProps) {
  const plane = planeOf(xRange, yRange)
  const { xOf, yOf } = plane
  const [xLow, xHigh] = xRange
  const [yLow, yHigh] = yRange
  return (
    <figure class="plot">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={caption}>
        <Axes plane={plane} xLabel={xLabel} formatX={formatX} formatY={formatY} />
        {diagonal && <line class="diagonal" x1={xOf(xLow)} y1={yOf(yLow)} x2={xOf(xHigh)} y2={yOf(yHigh)} />}
        {mark !== undefined && mark.x >= xLow && mark.x <= xHigh && (
          <g>
            <line class="mark" x1={xOf(mark.x)} x2={xOf(mark.x)} y1={TOP} y2={HEIGHT - BOTTOM} />
            <text class="tick" x={xOf(mark.x) + 4} y={TOP + 10}>
              {mark.name}
            </text>
          </g>
        )}
        {series.map((line, index) => (
          <SeriesLine key={line.name} plane={plane} line={line} index={index} />
        ))}
      </svg>
      <figcaption class="legend">
        <span class="hint">{yLabel}</span>
        {series.length > 1 &&
          series.map(({ name }, index) => (
            <span key={name} class={`legend-${index + 1}`}>
              {name}
            </span>
          ))}
      </figcaption>
      {isTabulated && (
        <PlotTable caption={caption} xLabel={xLabel} series={series} formatX={formatX} formatY={formatY} />
      )}
    </figure>
  )
}

type AxesProps = { readonly plane: Plane } & Pick<LinePlotProps, 'xLabel'> &
  Required<Pick<LinePlotProps, 'formatX' | 'formatY'>>

/** Ticks with their values, and the lines of the grid. */
function Axes({ plane: { xRange, yRange, xOf, yOf }, xLabel, formatX, formatY }: AxesProps) {
  return (
    <>
      {ticksOf(yRange).map((y, tick) => (
        <g key={tick}>
          <line class="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={yOf(y)} y2={yOf(y)} />
          <text class="tick" x={LEFT - 6} y={yOf(y) + 4} text-anchor="end">
            {formatY(y)}
          </text>
        </g>
      ))}
      {ticksOf(xRange).map((x, tick) => (
        <text key={tick} class="tick" x={xOf(x)} y={HEIGHT - BOTTOM + 16} text-anchor="middle">
          {formatX(x)}
        </text>
      ))}
      <text class="tick" x={(LEFT + WIDTH - RIGHT) / 2} y={HEIGHT - 6} text-anchor="middle">
        {xLabel}
      </text>
    </>
  )
}

/** Values at which an axis has its ticks. */
function ticksOf([low, high]: readonly [number, number]): number[] {
  return TICKS.map((tick) => low + tick * (high - low))
}

/** One line, and its points where they have a weight. */
function SeriesLine({ plane: { xOf, yOf }, line, index }: { plane: Plane; line: Series; index: number }) {
  const { points, weights } = line
  return (
    <g class={`series series-${index + 1}`}>
      <polyline points={points.map(([x, y]) => `${xOf(x).toFixed(1)},${yOf(y).toFixed(1)}`).join(' ')} />
      {weights?.map((weight, point) => {
        const [x = 0, y = 0] = points[point] ?? []
        return <circle key={point} cx={xOf(x)} cy={yOf(y)} r={2 + 5 * Math.sqrt(weight)} />
      })}
    </g>
  )
}

type PlotTableProps = Pick<LinePlotProps, 'caption' | 'xLabel' | 'series'> &
  Required<Pick<LinePlotProps, 'formatX' | 'formatY'>>

/** The numbers of a plot. */
function PlotTable({ caption, xLabel, series, formatX, formatY }: PlotTableProps) {
  return (
    <div class="unseen">
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{xLabel}</th>
            {series.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {series[0]?.points.map(([x], row) => (
            <tr key={row}>
              <td>{formatX(x)}</td>
              {series.map(({ name, points }) => (
                <td key={name}>{points[row] === undefined ? '' : formatY(points[row][1])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
