/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NamedReport } from '../learning/named-report.ts'
import type { LearningPoint } from '../versions/version-trainer.ts'
import type { Demands } from './command-line.ts'
import { calibrationSvg, confusionMatrixSvg, learningCurveSvg } from './plots.ts'

/** A threshold and whether it is met. A figure that could not be measured meets none. */
export interface Check {
  readonly figure: 'accuracy' | 'macroF1' | 'calibrationError'
  readonly wanted: string
  readonly found: number | null
  readonly passed: boolean
}

/** Compares a report with the demanded thresholds. */
export function checkDemands(report: Figures, demands: Demands): Check[] {
  const { minAccuracy, minMacroF1, maxCalibrationError } = demands
  const atLeast = (figure: 'accuracy' | 'macroF1', least: number | undefined): Check[] => {
    const found = report[figure]
    return least === undefined
      ? []
      : [{ figure, wanted: `>= ${least}`, found, passed: found !== null && found >= least }]
  }
  const found = report.calibrationError
  const calibration: Check[] =
    maxCalibrationError === undefined
      ? []
      : [
          {
            figure: 'calibrationError',
            wanted: `<= ${maxCalibrationError}`,
            found,
            passed: found !== null && found <= maxCalibrationError
          }
        ]
  return [...atLeast('accuracy', minAccuracy), ...atLeast('macroF1', minMacroF1), ...calibration]
}

/** Figures of a report that commands print. */
export type Figures = Pick<NamedReport, 'questionCount' | 'accuracy' | 'macroF1' | 'calibrationError'>

/** Selects the figures of a report. */
export function figuresOf({ questionCount, accuracy, macroF1, calibrationError }: Figures): Figures {
  return { questionCount, accuracy, macroF1, calibrationError }
}

/** Describes the figures in a line. */
export function describeFigures({ questionCount, accuracy, macroF1, calibrationError }: Figures): string {
  return `accuracy ${shown(accuracy)}, macro F1 ${shown(macroF1)}, calibration error ${shown(calibrationError)}, of ${questionCount} rows`
}

/** Describes a check in a line. */
export function describeCheck({ figure, wanted, found, passed }: Check): string {
  return `${passed ? 'passed' : 'FAILED'}: ${figure} ${wanted}, found ${found ?? 'nothing'}`
}

/**
 * Writes the plots that a report has data for.
 * @returns their paths
 */
export async function writePlots(
  folder: string,
  report: NamedReport,
  learningCurve: readonly LearningPoint[] = []
): Promise<string[]> {
  const plots = new Map<string, string>()
  if (report.classes.length > 0) plots.set('confusion-matrix.svg', confusionMatrixSvg(report))
  // Reports of earlier versions lack the bins.
  const { calibration, calibrationError } = report
  if (Array.isArray(calibration) && calibration.length > 0 && calibrationError !== null) {
    plots.set('calibration.svg', calibrationSvg(calibration, calibrationError))
  }
  if (learningCurve.length > 0) plots.set('learning-curve.svg', learningCurveSvg(learningCurve))
  await mkdir(folder, { recursive: true })
  const paths = [...plots.keys()].map((name) => join(folder, name))
  await Promise.all([...plots.values()].map(async (svg, index) => writeFile(paths[index]!, svg)))
  return paths
}

function shown(share: number | null): string {
  return share === null ? 'not measured' : `${(share * 100).toFixed(1)}%`
}
