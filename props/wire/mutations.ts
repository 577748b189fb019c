// Where the core refuses, found in its syntax, and what it is without one of those checks. A
// mutation is a piece of source that is replaced by another one.

import ts from 'typescript'

export interface Mutation {
  readonly file: string
  readonly line: number
  /** What was changed, for a person. */
  readonly what: string
  readonly start: number
  readonly end: number
  readonly by: string
}

/** The functions with which the core says no. */
const refusing = new Set(
  ('fail failBy failPlainly ended tooManyPairs tooManyFilters left leftBy fault lengthFault ' +
    'flagFault refusal wrong refuse faulty expel drop turnAway failure').split(' '),
)

/** The reason codes by their names in the core. */
const refusalCodes = new Set([
  'QUOTA_EXCEEDED',
  'NOT_AUTHORIZED',
  'NO_SUBSCRIPTION_EXISTED',
  'PACKET_IDENTIFIER_NOT_FOUND',
  'QOS_NOT_SUPPORTED',
  'RETAIN_NOT_SUPPORTED',
  'SHARED_NOT_SUPPORTED',
  'IDENTIFIERS_NOT_SUPPORTED',
  'WILDCARDS_NOT_SUPPORTED',
])

const isRefusalCode = (text: string): boolean => refusalCodes.has(text)

/** What else is returned where something is refused: a fault, or why in a word. */
const refusals = new Set([
  'malformedLength',
  'tooLarge',
  'unanswerable',
  'noMethod',
  'malformed',
  "'not allowed'",
  "'retained store full'",
  "'memory short'",
])

/** Whether the node says no to a peer: a call, a reason code that is pushed or answered, a null. */
const isRefusal = (node: ts.Node): boolean => {
  if (ts.isCallExpression(node)) {
    const { expression } = node
    if (ts.isIdentifier(expression)) return refusing.has(expression.text)
    // `reasons.push(QUOTA_EXCEEDED)`, `effects.push(close(conn, QUOTA_EXCEEDED))`
    return ts.isPropertyAccessExpression(expression) && expression.name.text === 'push' &&
      node.arguments.some((argument) =>
        isRefusalCode(argument.getText()) ||
        argument.getText().startsWith('close(conn, QUOTA_EXCEEDED')
      )
  }
  if (ts.isReturnStatement(node) && node.expression !== undefined) {
    const text = node.expression.getText()
    return isRefusalCode(text) || refusals.has(text) ||
      text === 'null' && refusesByNull(node)
  }
  if (ts.isStringLiteral(node) && ts.isConditionalExpression(node.parent)) {
    return refusals.has(node.getText())
  }
  return ts.isIdentifier(node) && isRefusalCode(node.text) && !ts.isCallExpression(node.parent) &&
    (ts.isConditionalExpression(node.parent) || ts.isBinaryExpression(node.parent) &&
        node.parent.operatorToken.kind === ts.SyntaxKind.EqualsToken)
}

/** `decodeUtf8` answers null for what is not UTF-8. */
const refusesByNull = (node: ts.Node): boolean => node.getSourceFile().fileName.endsWith('utf8.ts')

/** Functions of predicates, whose `return` of false, negative or a sentence is a refusal. */
const predicates = /core\/topic\/(filter|text)\.ts$/

const isPredicateRefusal = (node: ts.Node): boolean => {
  if (!predicates.test(node.getSourceFile().fileName) || !ts.isReturnStatement(node)) return false
  const { expression } = node
  if (expression === undefined) return false
  const of = enclosing(node, ts.isArrowFunction)?.parent.getText() ?? ''
  if (of.startsWith('scan')) {
    return ts.isIdentifier(expression) || ts.isConditionalExpression(expression)
  }
  return of.startsWith('shareFault') && ts.isStringLiteral(expression)
}

const enclosing = <N extends ts.Node>(
  node: ts.Node,
  is: (node: ts.Node) => node is N,
): N | null => {
  for (let at: ts.Node | undefined = node.parent; at !== undefined; at = at.parent) {
    if (is(at)) return at
  }
  return null
}

const isFunction = (node: ts.Node): boolean =>
  ts.isArrowFunction(node) || ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)

/** The conditions on the way to a node, within its function, each with the side it stands on. */
const guards = (node: ts.Node): { readonly condition: ts.Expression; readonly when: boolean }[] => {
  const found: { condition: ts.Expression; when: boolean }[] = []
  let below: ts.Node = node
  for (let at = node.parent; at !== undefined && !isFunction(below); at = at.parent) {
    if (ts.isIfStatement(at) && below !== at.expression) {
      found.push({ condition: at.expression, when: below === at.thenStatement })
    } else if (ts.isConditionalExpression(at) && below !== at.condition) {
      found.push({ condition: at.condition, when: below === at.whenTrue })
    }
    below = at
  }
  return found
}

const comparisons: Readonly<Record<string, string>> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
}

interface Variant {
  readonly node: ts.Node
  readonly by: string
  /** What the person is told was changed, where that is more than the node. */
  readonly of?: ts.Node
}

/** Every way in which one part of a condition can be missing. */
const variants = (condition: ts.Expression, when: boolean): Variant[] => {
  const found: Variant[] = [
    { node: condition, by: String(!when) },
    { node: condition, by: String(when) },
  ]
  const visit = (node: ts.Node): void => {
    if (ts.isBinaryExpression(node)) {
      const operator = node.operatorToken.getText()
      if (operator === '||' || operator === '&&') {
        // The neutral element: the part takes no part.
        const neutral = String(operator === '&&')
        found.push({ node: node.left, by: neutral }, { node: node.right, by: neutral })
      }
      const other = comparisons[operator]
      if (other !== undefined) {
        found.push({ node: node.operatorToken, by: other, of: node })
      }
      visit(node.left)
      visit(node.right)
    } else if (ts.isParenthesizedExpression(node) || ts.isPrefixUnaryExpression(node)) {
      ts.forEachChild(node, visit)
    }
  }
  visit(condition)
  return found
}

const one = (file: string, tree: ts.SourceFile, node: ts.Node, by: string, what: string) => ({
  file,
  line: tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1,
  what,
  start: node.getStart(tree),
  end: node.getEnd(),
  by,
})

const short = (node: ts.Node): string => node.getText().replaceAll(/\s+/g, ' ').slice(0, 70)

/** A refusal that nothing guards goes on instead: as a statement it is nothing, as a value null. */
const unguarded = (node: ts.Node): { node: ts.Node; by: string } | null => {
  // What is dropped is counted, and no client can see whether it was.
  if (node.getText().startsWith('drop(')) return null
  const { parent } = node
  if (ts.isExpressionStatement(parent)) return { node: parent, by: ';' }
  if (ts.isReturnStatement(parent)) return { node: parent, by: 'return null as never' }
  if (ts.isArrowFunction(parent) && parent.body === node) return { node, by: '(null as never)' }
  return null
}

/** Rows of tables: what is illegal becomes legal and the other way round, rules are lifted. */
const tableMutations = (file: string, tree: ts.SourceFile): Mutation[] => {
  const found: Mutation[] = []
  const visit = (node: ts.Node): void => {
    if (file.endsWith('phase.ts') && ts.isPropertyAssignment(node)) {
      const value = node.initializer.getText(tree)
      const key = node.name.getText(tree)
      const table = enclosing(node, ts.isVariableDeclaration)?.name.getText(tree)
      if (/^(first|second|early|serverOnly)$/.test(value)) {
        found.push(one(file, tree, node.initializer, "'legal'", `${table}: ${key} legal`))
      } else if (value === "'legal'") {
        found.push(one(file, tree, node.initializer, 'serverOnly', `${table}: ${key} illegal`))
      }
    }
    if (
      file.endsWith('phase.ts') && ts.isNumericLiteral(node) &&
      ts.isArrayLiteralExpression(node.parent)
    ) {
      found.push(one(file, tree, node, '0xfe', `farewell ${node.getText(tree)} missing`))
    }
    if (
      file.endsWith('property.ts') && ts.isCallExpression(node) &&
      node.expression.getText(tree) === 'row'
    ) {
      const [id, , , rule, places, repeats] = node.arguments
      const name = id?.getText(tree) ?? ''
      if (rule !== undefined && rule.getText(tree) !== "'any'") {
        found.push(one(file, tree, rule, "'any'", `rule of ${name} lifted`))
      }
      if (places !== undefined && places.getText(tree) !== 'everywhere') {
        found.push(one(file, tree, places, 'everywhere', `${name} everywhere`))
      }
      if (repeats === undefined && places !== undefined) {
        found.push({
          ...one(file, tree, places, `${places.getText(tree)}, everywhere`, `${name} twice`),
        })
      } else if (repeats !== undefined) {
        found.push(one(file, tree, repeats, 'never', `${name} once`))
      }
    }
    if (
      file.endsWith('reason.ts') && ts.isStringLiteral(node) && ts.isCallExpression(node.parent) &&
      node.parent.arguments.indexOf(node) > 1
    ) {
      const code = node.parent.arguments[0]?.getText(tree)
      found.push(one(file, tree, node, "'nowhere'", `${code} not in ${node.text}`))
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return found
}

/** All mutations of one file. */
export const mutationsOf = (file: string, text: string): ReadonlyArray<Mutation> => {
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.TS)
  const found = new Map<string, Mutation>()
  const add = (mutation: Mutation): void => {
    const key = `${mutation.start} ${mutation.end} ${mutation.by}`
    if (!found.has(key)) found.set(key, mutation)
  }
  const visit = (node: ts.Node): void => {
    if (isRefusal(node) || isPredicateRefusal(node)) {
      const conditions = guards(node)
      for (const { condition, when } of conditions) {
        for (const { node: part, by, of } of variants(condition, when)) {
          add(one(file, tree, part, by, `${short(of ?? part)} -> ${by}`))
        }
      }
      const gone = conditions.length === 0 ? unguarded(node) : null
      if (gone !== null) add(one(file, tree, gone.node, gone.by, `${short(node)} gone`))
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  for (const mutation of tableMutations(file, tree)) add(mutation)
  return [...found.values()].sort((a, b) => a.start - b.start)
}
