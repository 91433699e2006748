/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** The classifier of the API page's examples: readings of two sensors, and whether the pump's bearing was worn. */
export const EXAMPLE_CLASSIFIER = 'sensors'

/** The first rows of `examples/sensors.csv`. */
export const EXAMPLE_TABLE_CSV = `sensor_1,sensor_2,label
0.40,1.01,0
2.22,-0.95,1
-0.14,0.43,0
3.29,-0.36,1
1.43,0.80,0
2.72,-0.55,1
-0.73,1.28,0
2.81,-0.30,1
-0.75,-0.80,0
1.69,-1.07,1
0.84,0.56,0
2.82,-1.21,1
0.85,0.92,0
1.87,0.67,1
1.05,1.56,0
1.90,-1.29,1
`

/** The same table as JSON. */
export const EXAMPLE_ROWS = rowsOf(EXAMPLE_TABLE_CSV)

/** Input of a prediction, by column. */
export const EXAMPLE_COLUMNS = { sensor_1: '[1,2.0,3]', sensor_2: '[1,-1,0]' }

/** The same input as CSV. */
export const EXAMPLE_PREDICT_CSV = 'sensor_1,sensor_2\n1,1\n2.0,-1\n3,0\n'

function rowsOf(csv: string): Record<string, number>[] {
  const [header = [], ...rows] = csv
    .trim()
    .split('\n')
    .map((line) => line.split(','))
  return rows.map((row) => Object.fromEntries(header.map((name, column) => [name, Number(row[column])])))
}
