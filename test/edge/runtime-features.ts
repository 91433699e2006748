/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */
import { parse, type Node } from 'acorn'

/*
 * What AWS documents of cloudfront-js-2.0: ES 5.1, and of later editions const and let, arrow functions, rest parameters,
 * template literals, `**`, async functions and await. njs, the engine behind it, may take more; CloudFront promises no more.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html
 */
const DOCUMENTED_NODES = new Set(
  [
    'Program ImportDeclaration ImportDefaultSpecifier VariableDeclaration VariableDeclarator FunctionDeclaration FunctionExpression',
    'ArrowFunctionExpression RestElement BlockStatement EmptyStatement ExpressionStatement IfStatement ForStatement ForInStatement',
    'WhileStatement DoWhileStatement SwitchStatement SwitchCase BreakStatement ContinueStatement ReturnStatement ThrowStatement',
    'TryStatement CatchClause LabeledStatement Identifier Literal TemplateLiteral TemplateElement ThisExpression ArrayExpression',
    'ObjectExpression Property UnaryExpression UpdateExpression BinaryExpression LogicalExpression AssignmentExpression',
    'ConditionalExpression CallExpression NewExpression MemberExpression SequenceExpression AwaitExpression'
  ].flatMap((line) => line.split(' '))
)

/** Later than what is documented, or closed off in the runtime. */
const MISSING_NAMES = new Set(
  [
    'at flat flatMap matchAll findLast findLastIndex fromEntries hasOwn toSorted toReversed toSpliced isWellFormed toWellFormed',
    'structuredClone fetch setTimeout setInterval setImmediate eval Function URL URLSearchParams process WeakRef globalThis'
  ].flatMap((line) => line.split(' '))
)

const PARTS = new Map<string, (node: Fields) => string | undefined>([
  ['ArrowFunctionExpression', (node) => (node['async'] === true ? 'async arrow function' : undefined)],
  ['FunctionExpression', (node) => (node['async'] === true ? 'async closure' : generator(node))],
  ['FunctionDeclaration', generator],
  ['CatchClause', (node) => (node['param'] === null ? 'catch without a name' : undefined)],
  ['CallExpression', (node) => (node['optional'] === true ? '?.' : undefined)],
  ['MemberExpression', (node) => (node['optional'] === true ? '?.' : undefined)],
  ['LogicalExpression', (node) => (node['operator'] === '??' ? '??' : undefined)],
  [
    'AssignmentExpression',
    (node) => (/^(\?\?|\|\||&&)=$/.test(String(node['operator'])) ? String(node['operator']) : undefined)
  ],
  ['Identifier', (node) => (MISSING_NAMES.has(String(node['name'])) ? String(node['name']) : undefined)],
  ['Literal', literal],
  ['Property', property]
])

type Fields = Node & Record<string, unknown>

function generator(node: Fields): string | undefined {
  return node['generator'] === true ? 'generator function' : undefined
}

function literal(node: Fields): string | undefined {
  if (node['bigint'] !== undefined) return 'BigInt'
  const { regex } = node
  if (typeof regex !== 'object' || regex === null || !('flags' in regex) || !('pattern' in regex)) return undefined
  if (!/^[gim]*$/.test(String(regex.flags))) return `regular expression flag of /${String(regex.flags)}`
  return /\(\?<[=!]/.test(String(regex.pattern)) ? 'lookbehind' : undefined
}

function property(node: Fields): string | undefined {
  if (node['shorthand'] === true) return 'shorthand property'
  if (node['method'] === true) return 'method in an object'
  return node['computed'] === true ? 'computed property name' : undefined
}

/** Language features of a function that CloudFront does not document for its runtime 2.0, each with its line. */
export function undocumentedFeatures(source: string): string[] {
  const found: string[] = []
  const visit = (node: Fields): void => {
    const feature = DOCUMENTED_NODES.has(node.type) ? PARTS.get(node.type)?.(node) : node.type
    if (feature !== undefined) found.push(`${feature} in line ${node.loc?.start.line}`)
    for (const value of Object.values(node)) for (const child of [value].flat()) if (isNode(child)) visit(child)
  }
  const program: unknown = parse(source, { ecmaVersion: 'latest', sourceType: 'module', locations: true })
  if (isNode(program)) visit(program)
  return found
}

function isNode(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
