/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import type { ServiceRequest } from './service-request.ts'

/** Longer bodies are cut in what is shown: nobody reads more, and a table may be of megabytes. */
const MAX_SHOWN_BODY = 600

function shownBody(body: string): string {
  return body.length <= MAX_SHOWN_BODY ? body : `${body.slice(0, MAX_SHOWN_BODY)}…`
}

/** A text as one word of the shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** A call as a command of the shell; the key is read from `API_KEY`. */
export function toCurl({ method, path, body, contentType, headers }: ServiceRequest, origin: string): string {
  const isPlain = method === 'GET' || (method === 'POST' && body !== undefined)
  return [
    `curl -s${isPlain ? '' : ` -X ${method}`} ${quoted(origin + path)}`,
    '-H "Authorization: Bearer $API_KEY"',
    ...(contentType === undefined ? [] : [`-H ${quoted(`Content-Type: ${contentType}`)}`]),
    ...Object.entries(headers ?? {}).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : [`--data-binary ${quoted(shownBody(body))}`])
  ].join(' \\\n  ')
}

/** A call in TypeScript, for Node.js or a browser. */
export function toTypeScript({ method, path, body, contentType, headers }: ServiceRequest, origin: string): string {
  const given = {
    ...(contentType !== undefined && { 'Content-Type': contentType }),
    ...headers
  }
  const headerLines = Object.entries(given).map(([name, value]) => `,\n    '${name}': ${JSON.stringify(value)}`)
  const sent =
    body === undefined
      ? ''
      : contentType === 'application/json' && body.length <= MAX_SHOWN_BODY
        ? `,\n  body: JSON.stringify(${body})`
        : `,\n  body: ${JSON.stringify(shownBody(body))}`
  return [
    `const reply = await fetch(${JSON.stringify(origin + path)}, {`,
    ...(method === 'GET' ? [] : [`  method: '${method}',`]),
    '  headers: {',
    `    Authorization: \`Bearer \${process.env.API_KEY}\`${headerLines.join('')}`,
    `  }${sent}`,
    '})',
    'if (!reply.ok) throw new Error((await reply.json()).message)',
    'console.log(await reply.json())'
  ].join('\n')
}
