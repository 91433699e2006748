/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { styleText } from 'node:util'
import packageJson from '../../package.json' with { type: 'json' }
import type { Config } from '../config/settings.ts'
import type { Terminal } from './terminal.ts'

/** Content of the text that a terminal shows once the service is ready. */
export interface FirstScreen {
  readonly origin: string
  /** The key that was generated for this run; configured keys are not shown. */
  readonly madeKey: string | undefined
  readonly config: Pick<Config, 'apiSecretKey' | 'apiKeysFile'>
  readonly terminal: Pick<Terminal, 'hasColors' | 'columns'>
}

/** Formats that text: name and version, address, key, and what to do next. */
export function firstScreen(screen: FirstScreen): string {
  const { origin, madeKey, terminal } = screen
  const bold = (text: string): string =>
    terminal.hasColors ? styleText('bold', text, { validateStream: false }) : text
  const rows: [label: string, text: string][] = [
    ['Address', origin],
    ['API page', `${origin}/docs`],
    ['Key', keyText(screen)]
  ]
  return [
    '',
    `  ${bold(`${packageJson.name} ${packageJson.version} is ready`)}: sentences to embeddings, questions to answers.`,
    '',
    ...rows.map(([label, text]) => `  ${label.padEnd(10)} ${text}`),
    '',
    '  Open the playground in a browser:',
    '',
    `    ${playgroundLink(origin, madeKey)}`,
    '',
    '  Or try it here:',
    '',
    ...tryIt(origin, madeKey, terminal.columns),
    '',
    '  Ctrl-C stops it. LOG_FORMAT=json logs lines of JSON instead.',
    '\n'
  ].join('\n')
}

function keyText({ madeKey, config }: FirstScreen): string {
  if (madeKey !== undefined) return `${madeKey} (of this run; see API_SECRET_KEY)`
  if (config.apiSecretKey.length > 0) return 'yours, of API_SECRET_KEY: export API_KEY=…'
  if (config.apiKeysFile !== undefined) return 'yours, of API_KEYS_FILE: export API_KEY=…'
  return 'a token signed with JWT_SECRET_KEY: export API_KEY=…'
}

/** The playground's URL. A generated key is in the fragment, which browsers do not send; the page removes it from the address. */
function playgroundLink(origin: string, madeKey: string | undefined): string {
  return madeKey === undefined ? `${origin}/playground` : `${origin}/playground#key=${madeKey}`
}

/** A curl command to paste, on two lines if it is wider than the terminal. */
function tryIt(origin: string, madeKey: string | undefined, columns = Infinity): string[] {
  const authorization =
    madeKey === undefined ? '"Authorization: Bearer $API_KEY"' : `'Authorization: Bearer ${madeKey}'`
  const head = `  curl -H ${authorization}`
  const address = `'${origin}/v1/encode?query=hello%20world'`
  return head.length + 1 + address.length <= columns ? [`${head} ${address}`] : [`${head} \\`, `    ${address}`]
}
