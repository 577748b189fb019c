// The rules of the house, as functions from all files to complaints. tidy.test.ts applies them
// to this project and shows with small bad houses that each of them can fail.

import ts from 'typescript'

/** Files by path from the project's root, `/` between folders. */
export type House = ReadonlyMap<string, string>

export type Rule = (house: House) => ReadonlyArray<string>

const trees = new Map<string, ts.SourceFile>()

const treeOf = (path: string, text: string): ts.SourceFile => {
  const key = `${path}\n${text}`
  let tree = trees.get(key)
  if (tree === undefined) {
    tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.TS)
    trees.set(key, tree)
  }
  return tree
}

const under = (folder: string) => (path: string): boolean => path.startsWith(folder)

const isSource = (path: string): boolean => path.endsWith('.ts')

const isTest = (path: string): boolean => path.endsWith('.test.ts')

/** A rule that looks at one source file at a time. */
const perFile = (
  applies: (path: string) => boolean,
  check: (tree: ts.SourceFile, path: string) => ReadonlyArray<Complaint>,
): Rule =>
(house) => {
  const complaints: string[] = []
  for (const [path, text] of house) {
    if (!isSource(path) || !applies(path)) continue
    const tree = treeOf(path, text)
    for (const { node, at, says } of check(tree, path)) {
      const place = node === undefined ? at ?? 0 : node.getStart(tree)
      const line = tree.getLineAndCharacterOfPosition(place).line + 1
      complaints.push(`${path}:${line}: ${says}`)
    }
  }
  return complaints
}

interface Complaint {
  readonly says: string
  readonly node?: ts.Node
  readonly at?: number
}

/** Every node below and including `node`, parents first. */
const nodes = (node: ts.Node): ReadonlyArray<ts.Node> => {
  const found: ts.Node[] = []
  const visit = (each: ts.Node): void => {
    found.push(each)
    ts.forEachChild(each, visit)
  }
  visit(node)
  return found
}

/** A rule about single nodes: a sentence where the node is wrong, null where it is not. */
const perNode = (
  applies: (path: string) => boolean,
  check: (node: ts.Node, tree: ts.SourceFile, path: string) => string | null,
): Rule =>
  perFile(applies, (tree, path) => {
    const complaints: Complaint[] = []
    for (const node of nodes(tree)) {
      const says = check(node, tree, path)
      if (says !== null) complaints.push({ node, says })
    }
    return complaints
  })

// Imports

interface Import {
  readonly node: ts.Node
  readonly specifier: string
  /** Gone when the types are stripped. */
  readonly typeOnly: boolean
  readonly dynamic: boolean
}

const importOf = (node: ts.Node): Import | null => {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    const typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
    return { node, specifier: node.moduleSpecifier.text, typeOnly, dynamic: false }
  }
  if (
    ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined &&
    ts.isStringLiteral(node.moduleSpecifier)
  ) {
    const typeOnly = node.isTypeOnly
    return { node, specifier: node.moduleSpecifier.text, typeOnly, dynamic: false }
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [argument] = node.arguments
    const literal = argument !== undefined && ts.isStringLiteralLike(argument)
    return { node, specifier: literal ? argument.text : '?', typeOnly: false, dynamic: true }
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    const { literal } = node.argument
    const specifier = ts.isStringLiteral(literal) ? literal.text : '?'
    return { node, specifier, typeOnly: true, dynamic: false }
  }
  return null
}

const importsOf = (tree: ts.SourceFile): ReadonlyArray<Import> =>
  nodes(tree).map(importOf).filter((found) => found !== null)

const isRelative = (specifier: string): boolean => specifier.startsWith('.')

/** The path from the root that a relative specifier means. */
const resolve = (from: string, specifier: string): string => {
  const parts = from.split('/').slice(0, -1)
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return parts.join('/')
}

/** A rule about single imports; `target` is a path from the root, or the specifier of a package. */
const perImport = (
  applies: (path: string) => boolean,
  check: (target: string, path: string, found: Import) => string | null,
): Rule =>
  perFile(applies, (tree, path) => {
    const complaints: Complaint[] = []
    for (const found of importsOf(tree)) {
      const { node, specifier } = found
      const target = isRelative(specifier) ? resolve(path, specifier) : specifier
      const says = check(target, path, found)
      if (says !== null) complaints.push({ node, says })
    }
    return complaints
  })

const everywhere = (): boolean => true

const relativeWithExtension = perImport(
  everywhere,
  (_, __, { specifier }) =>
    isRelative(specifier) && !/\.(ts|js|json)$/.test(specifier)
      ? `${specifier} lacks its ending .ts`
      : isRelative(specifier) && specifier.endsWith('.js')
      ? `${specifier} names a built file; the source ends in .ts`
      : null,
)

const coreImportsItself = perImport(
  under('core/'),
  (target, path) =>
    target.startsWith('core/')
      ? null
      : path === 'core/prelude.ts' && /^(fp-ts|io-ts)(\/|$)/.test(target)
      ? null
      : `core imports ${target}`,
)

/** Lower rooms know nothing of higher ones; rooms of the same height know nothing of each other. */
const heights: Readonly<Record<string, number>> = {
  data: 0,
  topic: 1,
  codec: 2,
  broker: 3,
  client: 3,
  config: 4,
  log: 5,
  trace: 5,
}

const roomsAreLayered = perImport(under('core/'), (target, path) => {
  const [, from, ...rest] = path.split('/')
  const [, to, ...below] = target.split('/')
  if (rest.length === 0 || !target.startsWith('core/')) return null
  const height = heights[from ?? '']
  if (height === undefined) return `the room core/${from} has no height in props/rules.ts`
  if (below.length === 0) {
    return to === 'prelude.ts' ? null : `${to} is the way in from outside, not from a room`
  }
  if (from === to) return null
  const other = heights[to ?? '']
  return other === undefined
    ? `the room core/${to} has no height in props/rules.ts`
    : other < height
    ? null
    : `core/${from} imports core/${to}, which does not stand below it`
})

const functionalPackages = perImport(everywhere, (target, path) => {
  if (!/^(fp-ts|io-ts)(\/|$)/.test(target)) return null
  if (path !== 'core/prelude.ts') return `${target} is imported past core/prelude.ts`
  return target === 'io-ts' || /^(fp-ts|io-ts)\/lib\/[\w-]+\.js$/.test(target)
    ? null
    : `${target} resolves under tsx only; write ${target.split('/')[0]}/lib/X.js`
})

const shellsKeepApart = perImport(under('shells/'), (target, path, { dynamic }) => {
  const room = path.split('/')[1]
  const other = target.startsWith('shells/') ? target.split('/')[1] : null
  if (room === 'node' && other === 'deno') return 'the Node shell imports the Deno shell'
  if (room === 'deno' && other === 'node') return 'the Deno shell imports the Node shell'
  const runtime = other === 'node' || other === 'deno'
  if (room === 'common' && runtime) return `shells/common imports the ${other} shell`
  if (room === 'cli' && runtime && !dynamic) return `the ${other} shell is imported by everybody`
  // V8's limit, which Deno does not tell by itself.
  if (path === 'shells/deno/host.ts' && target === 'node:v8') return null
  if ((room === 'common' || room === 'deno') && target.startsWith('node:')) {
    return `shells/${room} imports ${target}`
  }
  return null
})

const nobodyImportsProps = perImport(
  (path) => !path.startsWith('props/'),
  (target) => target.startsWith('props/') ? `${target} is imported from outside props` : null,
)

/** Files that import each other in a ring run in an order that nobody chose. Types do not run. */
const noCycles: Rule = (house) => {
  const complaints: string[] = []
  const done = new Set<string>()
  const way: string[] = []
  const visit = (path: string): void => {
    const at = way.indexOf(path)
    if (at >= 0) complaints.push(`${[...way.slice(at), path].join(' imports ')}`)
    const text = house.get(path)
    if (at >= 0 || done.has(path) || text === undefined) return
    way.push(path)
    for (const { specifier, typeOnly, dynamic } of importsOf(treeOf(path, text))) {
      if (typeOnly || dynamic || !isRelative(specifier)) continue
      visit(resolve(path, specifier))
    }
    way.pop()
    done.add(path)
  }
  for (const path of house.keys()) if (isSource(path)) visit(path)
  return complaints
}

// Purity

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

const impureNames = words(`
  Date globalThis console setTimeout setInterval setImmediate queueMicrotask performance TextDecoder
  TextEncoder process Deno Buffer crypto fetch require eval Intl WeakRef FinalizationRegistry
  structuredClone atob btoa Promise Atomics SharedArrayBuffer
`)

/** True where the identifier is a use of a name and not the key of somebody's field. */
const isUse = (node: ts.Identifier): boolean => {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.name !== node
  if (ts.isQualifiedName(parent)) return parent.right !== node
  if (ts.isBindingElement(parent)) return parent.propertyName !== node
  return !(
    (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) ||
      ts.isPropertyDeclaration(parent) || ts.isMethodSignature(parent) ||
      ts.isMethodDeclaration(parent) || ts.isNamedTupleMember(parent)) && parent.name === node
  )
}

const coreIsPure = perNode(under('core/'), (node) => {
  if (ts.isIdentifier(node) && impureNames.has(node.text) && isUse(node)) {
    return `core knows no ${node.text}`
  }
  if (ts.isPropertyAccessExpression(node)) {
    const name = node.name.text
    if (name === 'random' && node.expression.getText() === 'Math') return 'core throws no dice'
    // What they answer depends on where the machine stands.
    if (name === 'localeCompare' || name.startsWith('toLocale')) return `core knows no ${name}`
  }
  if (ts.isMetaProperty(node)) return 'core does not know where it lies'
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return 'core imports nothing while it runs'
  }
  if (node.kind === ts.SyntaxKind.AsyncKeyword) return 'core does not wait'
  return null
})

const foreignNames: Readonly<Record<string, ReadonlySet<string>>> = {
  common: words('Deno process Buffer setImmediate require'),
  simulator: words('Deno process Buffer setImmediate require'),
  node: words('Deno'),
  deno: words('process Buffer require'),
  // Deno 2.6 has none: by this name it would have to be there before anything is done.
  cli: words('lchownSync'),
}

const shellsSpeakOneRuntime = perNode(under('shells/'), (node, _, path) => {
  const foreign = foreignNames[path.split('/')[1] ?? '']
  return ts.isIdentifier(node) && foreign?.has(node.text) === true && isUse(node)
    ? `${node.text} does not belong into ${path.split('/').slice(0, 2).join('/')}`
    : null
})

// Tests that cannot fail

const calls = (tree: ts.SourceFile): ReadonlyArray<ts.CallExpression> =>
  nodes(tree).filter(ts.isCallExpression)

const makesSuites = (text: string | undefined): boolean => text?.includes("from 'uvu'") === true

const suitesAreRun = perFile(under('props/'), (tree) => {
  if (!makesSuites(tree.text)) return []
  const complaints: Complaint[] = []
  const made: { readonly name: string; readonly node: ts.Node }[] = []
  for (const call of calls(tree)) {
    if (call.expression.getText(tree) !== 'suite') continue
    const { parent } = call
    if (ts.isVariableDeclaration(parent) && ts.isIdentifier(parent.name)) {
      made.push({ name: parent.name.text, node: call })
    } else complaints.push({ node: call, says: 'a suite without a name of its own' })
  }
  const run = new Set(
    calls(tree)
      .map(({ expression }) => expression)
      .filter(ts.isPropertyAccessExpression)
      .filter(({ name }) => name.text === 'run')
      .map(({ expression }) => expression.getText(tree)),
  )
  for (const { name, node } of made) {
    if (!run.has(name)) complaints.push({ node, says: `${name}.run() is missing` })
  }
  return complaints
})

/** A test file makes suites itself, or has them made by a file that it imports. */
const testsHaveSuites: Rule = (house) => {
  const complaints: string[] = []
  for (const [path, text] of house) {
    if (!isTest(path) || /\bsuite\(/.test(text) && makesSuites(text)) continue
    const makers = importsOf(treeOf(path, text)).filter(({ specifier }) =>
      isRelative(specifier) && makesSuites(house.get(resolve(path, specifier)))
    )
    if (makers.length === 0) complaints.push(`${path} makes no suite`)
  }
  return complaints
}

const nothingIsLeftOut = perNode(
  isTest,
  (node) =>
    ts.isPropertyAccessExpression(node) &&
      (node.name.text === 'only' || node.name.text === 'skip') &&
      ts.isCallExpression(node.parent) && node.parent.expression === node
      ? `.${node.name.text}() leaves tests out`
      : null,
)

/** A promise that nobody waits for fails after the test has passed. */
const asyncIsAwaited = perNode(
  under('props/'),
  (node) =>
    ts.isCallExpression(node) && node.expression.getText() === 'fc.assert' &&
      node.arguments[0]?.getText().startsWith('fc.asyncProperty') === true &&
      !ts.isAwaitExpression(node.parent) && !ts.isReturnStatement(node.parent) &&
      !ts.isArrowFunction(node.parent)
      ? 'an asynchronous property is not awaited'
      : null,
)

const settingsAreImported = perFile(isTest, (tree) => {
  const first = calls(tree).find(({ expression }) => expression.getText(tree) === 'fc.assert')
  return first === undefined ||
      importsOf(tree).some(({ specifier }) => specifier.endsWith('/gen/settings.ts'))
    ? []
    : [{ node: first, says: 'a property without gen/settings.ts cannot be repeated' }]
})

const runsAreAsked = perNode(
  under('props/'),
  (node) =>
    ts.isPropertyAssignment(node) && node.name.getText() === 'numRuns' &&
      ts.isNumericLiteral(node.initializer)
      ? `numRuns: ${node.initializer.text} ignores RUNS; write runs(${node.initializer.text})`
      : null,
)

// Language

const noAny = perFile(everywhere, (tree) => {
  const complaints: Complaint[] = []
  for (const node of nodes(tree)) {
    if (node.kind === ts.SyntaxKind.AnyKeyword) complaints.push({ node, says: 'any' })
  }
  for (const { text, at } of commentsOf(tree)) {
    if (/@ts-(ignore|nocheck|expect-error)/.test(text)) {
      complaints.push({ at, says: 'the type checker is told to look away' })
    }
  }
  return complaints
})

const erasableOnly = perNode(
  everywhere,
  (node) =>
    ts.isEnumDeclaration(node)
      ? 'an enum'
      : ts.isModuleDeclaration(node) && (node.flags & ts.NodeFlags.GlobalAugmentation) === 0
      ? 'a namespace'
      : ts.isDecorator(node)
      ? 'a decorator'
      : node.kind === ts.SyntaxKind.DefaultKeyword && !ts.isDefaultClause(node.parent)
      ? 'a default export'
      : ts.isExportSpecifier(node) && node.name.text === 'default'
      ? 'a default export'
      : ts.isExportAssignment(node)
      ? 'a default export'
      : null,
)

// Looks

interface Comment {
  readonly text: string
  readonly at: number
}

/** All comments: they lie in the gaps before tokens, so each token's gap is looked through once. */
const commentsOf = (tree: ts.SourceFile): ReadonlyArray<Comment> => {
  const found = new Map<number, Comment>()
  const add = (ranges: ReadonlyArray<ts.CommentRange> | undefined): void => {
    for (const { pos, end } of ranges ?? []) {
      found.set(pos, { text: tree.text.slice(pos, end), at: pos })
    }
  }
  for (const node of nodes(tree)) {
    add(ts.getLeadingCommentRanges(tree.text, node.getFullStart()))
    add(ts.getTrailingCommentRanges(tree.text, node.getEnd()))
  }
  return [...found.values()]
}

const lines = (check: (line: string) => string | null): Rule =>
  perFile(everywhere, (tree) => {
    const complaints: Complaint[] = []
    let at = 0
    for (const line of tree.text.split('\n')) {
      const says = check(line)
      if (says !== null) complaints.push({ at, says })
      at += line.length + 1
    }
    return complaints
  })

const narrowLines = lines((line) => {
  const columns = [...line].length
  return columns > 100 ? `${columns} columns` : null
})

const cleanLines = lines((line) =>
  /\s$/.test(line) ? 'white space at the end' : line.includes('\t') ? 'a tabulator' : null
)

const noSemicolons = perNode(everywhere, (node, tree) => {
  const ends = ts.isStatement(node) || ts.isTypeElement(node) || ts.isClassElement(node)
  if (!ends || tree.text[node.getEnd() - 1] !== ';') return null
  const rest = tree.text.slice(node.getEnd()).split('\n', 1)[0] ?? ''
  return /^\s*(\/\/.*|\/\*.*)?$/.test(rest) ? 'a semicolon at the end of a line' : null
})

const singleQuotes = perNode(
  everywhere,
  (node, tree) =>
    ts.isStringLiteral(node) && node.getText(tree).startsWith('"') && !node.text.includes("'")
      ? `${node.getText(tree)} in double quotes`
      : null,
)

const headers = perFile(
  everywhere,
  (tree) =>
    /^(#!.*\n)?\s*(\/\/|\/\*)/.test(tree.text)
      ? []
      : [{ says: 'no sentence at the top that says what the file decides' }],
)

const nothingUnfinished = perFile(everywhere, (tree) =>
  commentsOf(tree)
    .filter(({ text }) => /\b(FIXME|XXX)\b/.test(text))
    .map(({ at }) => ({ at, says: 'unfinished' })))

// The house as a whole

const foldersHaveReadmes: Rule = (house) => {
  const folders = new Set<string>()
  for (const path of house.keys()) {
    if (!/^(core|shells)\//.test(path)) continue
    const parts = path.split('/')
    for (let depth = 1; depth < parts.length; depth++) folders.add(parts.slice(0, depth).join('/'))
  }
  return [...folders]
    .filter((folder) => !house.has(`${folder}/README.md`))
    .map((folder) => `${folder} has no README.md`)
}

/** What a README says of the files beside it: each is named, and none that is gone. */
const readmesAreWhole: Rule = (house) =>
  [...house].flatMap(([path, text]) => {
    const folder = /^((?:core|shells)\/.+)\/README\.md$/.exec(path)?.[1]
    if (folder === undefined) return []
    const named = new Set([...text.matchAll(/`([\w*-]+\.ts)`/g)].map(([, name]) => name!))
    const families = [...named].filter((name) => name.endsWith('*.ts'))
    const isFamily = (file: string): boolean =>
      families.some((name) => file.startsWith(name.slice(0, -4)))
    const files = [...house.keys()].flatMap((one) =>
      one.startsWith(`${folder}/`) ? [one.slice(folder.length + 1)] : []
    ).filter((file) => /^[\w-]+\.ts$/.test(file))
    return [
      // A door is where one looks for it.
      ...files.filter((file) => file !== 'mod.ts' && !named.has(file) && !isFamily(file))
        .map((file) => `${path} does not name ${file}`),
      ...[...named].filter((name) => !families.includes(name) && !files.includes(name))
        .map((name) => `${path} names ${name}, which is not there`),
    ]
  })

/** The guide to the properties knows all of them. */
const guideIsWhole: Rule = (house) => {
  const guide = house.get('props/README.md') ?? ''
  return [...house.keys()]
    .map((path) => /^props\/([\w-]+)\.test\.ts$/.exec(path)?.[1])
    .filter((name) => name !== undefined && !guide.includes(`\`${name}\``))
    .map((name) => `props/README.md does not say what ${name} is about`)
}

/** The names that a statement declares and exports. */
const exportedBy = (statement: ts.Statement, tree: ts.SourceFile): ReadonlyArray<string> => {
  if (!ts.canHaveModifiers(statement)) return []
  const modifiers = ts.getModifiers(statement) ?? []
  if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return []
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.getText(tree))
  }
  return ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement) ||
      ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)
    ? [statement.name?.text ?? '']
    : []
}

const exportsOf = (tree: ts.SourceFile): ReadonlyArray<string> => {
  const names: string[] = []
  for (const statement of tree.statements) {
    if (ts.isExportDeclaration(statement)) {
      const clause = statement.exportClause
      if (clause === undefined) names.push('*')
      else if (ts.isNamespaceExport(clause)) names.push(clause.name.text)
      else names.push(...clause.elements.map(({ name }) => name.text))
    } else names.push(...exportedBy(statement, tree))
  }
  return names.sort()
}

/** The modules that package.json offers. */
const doors = [
  'core/mod.ts',
  'core/trace/json.ts',
  'shells/deno/mod.ts',
  'shells/node/mod.ts',
  'shells/simulator/mod.ts',
  'shells/simulator/stream.ts',
]

/** What a module offers, by name, wherever it is declared; null for all of it. */
const offered = (
  house: House,
  path: string,
  names: ReadonlySet<string> | null,
): ReadonlyArray<readonly [path: string, tree: ts.SourceFile, statement: ts.Statement]> => {
  const text = house.get(path)
  if (text === undefined) return []
  const tree = treeOf(path, text)
  return tree.statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement)) {
      const isWanted = exportedBy(statement, tree).some((name) => names?.has(name) ?? true)
      return isWanted ? [[path, tree, statement] as const] : []
    }
    const { exportClause: clause, moduleSpecifier: from } = statement
    if (from === undefined || !ts.isStringLiteral(from)) return []
    const elements = clause !== undefined && ts.isNamedExports(clause) ? clause.elements : null
    const wanted = elements?.filter(({ name }) => names?.has(name.text) ?? true)
      .map(({ name, propertyName }) => (propertyName ?? name).text)
    return offered(house, resolve(path, from.text), wanted === undefined ? null : new Set(wanted))
  })
}

/** Who sees only an editor reads what a name is for where it is used. */
const offersAreDocumented: Rule = (house) => {
  const complaints = new Set<string>()
  for (const door of doors) {
    for (const [path, tree, statement] of offered(house, door, null)) {
      if (ts.getJSDocCommentsAndTags(statement).length > 0) continue
      complaints.add(`${path}: nothing says what ${exportedBy(statement, tree)} is`)
    }
  }
  return [...complaints]
}

const shellsAreTwins: Rule = (house) => {
  const complaints: string[] = []
  const twins = [['shells/node/', 'shells/deno/'], ['shells/deno/', 'shells/node/']] as const
  for (const [one, other] of twins) {
    for (const [path, text] of house) {
      if (!path.startsWith(one) || !isSource(path)) continue
      // What only one runtime has is in a file that bears its name.
      if (/^shells\/(\w+)\/\1-[^/]*$/.test(path)) continue
      const twin = path.replace(one, other)
      const twinText = house.get(twin)
      if (twinText === undefined) {
        complaints.push(`${path} has no twin ${twin}`)
        continue
      }
      const theirs = new Set(exportsOf(treeOf(twin, twinText)))
      for (const name of exportsOf(treeOf(path, text))) {
        if (!theirs.has(name)) complaints.push(`${path} exports ${name}, ${twin} does not`)
      }
    }
  }
  return complaints
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {}

/** What is optional is for Node alone, and no business of deno.json. */
const versionsAgree: Rule = (house) => {
  const complaints: string[] = []
  const manifest = record(JSON.parse(house.get('package.json') ?? '{}'))
  const map = record(record(JSON.parse(house.get('deno.json') ?? '{}'))['imports'])
  const dependencies = record(manifest['dependencies'])
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies']) {
    for (const [name, version] of Object.entries(record(manifest[kind]))) {
      if (!/^\d+\.\d+\.\d+$/.test(String(version))) {
        complaints.push(`package.json: ${name} is ${version}, not one exact version`)
      }
    }
  }
  const wanted = new Map<string, string>()
  for (const [name, version] of Object.entries(dependencies)) {
    wanted.set(name, `npm:${name}@${version}`)
    wanted.set(`${name}/`, `npm:/${name}@${version}/`)
  }
  for (const [key, value] of wanted) {
    if (map[key] !== value) {
      complaints.push(`deno.json: ${key} is ${map[key]}, package.json wants ${value}`)
    }
  }
  for (const key of Object.keys(map)) {
    if (!wanted.has(key)) complaints.push(`deno.json: ${key} is no dependency in package.json`)
  }
  const printed = /version = '(.*)'/.exec(house.get('shells/common/version.ts') ?? '')?.[1]
  if (printed !== undefined && printed !== manifest['version']) {
    complaints.push(`shells/common/version.ts says ${printed}, not ${manifest['version']}`)
  }
  return complaints
}

const atTheTop = new Set([
  ...['core', 'shells', 'props', '.ci', 'README.md', 'CHANGELOG.md', 'LICENSE'],
  ...['package.json', 'package-lock.json', 'deno.json', 'tsconfig.json', '.gitignore', '.npmrc'],
])

/** What a program has left behind where it was started is easily committed with the rest. */
const topIsTidy: Rule = (house) =>
  [...new Set([...house.keys()].map((path) => path.replace(/\/.*/, '')))]
    .filter((name) => !atTheTop.has(name))
    .map((name) => `${name}: nothing else stands at the top`)

export const rules: Readonly<Record<string, Rule>> = {
  'relative imports carry their ending': relativeWithExtension,
  'core imports only itself': coreImportsItself,
  'a room of core imports only rooms below it': roomsAreLayered,
  'fp-ts and io-ts come in by one door, in the form that runs everywhere': functionalPackages,
  'the shells keep apart': shellsKeepApart,
  'nobody imports props': nobodyImportsProps,
  'no files import each other in a ring': noCycles,
  'core knows no clock, no chance, no runtime': coreIsPure,
  'a shell speaks the language of its runtime only': shellsSpeakOneRuntime,
  'every suite is run': suitesAreRun,
  'every test file has a suite': testsHaveSuites,
  'no test is left out': nothingIsLeftOut,
  'asynchronous properties are awaited': asyncIsAwaited,
  'properties can be repeated': settingsAreImported,
  'RUNS reaches every property': runsAreAsked,
  'no any': noAny,
  'nothing but types to erase': erasableOnly,
  'lines end by column 100': narrowLines,
  'lines are clean': cleanLines,
  'no semicolon ends a line': noSemicolons,
  'strings stand in single quotes': singleQuotes,
  'every file says what it is for': headers,
  'nothing is left unfinished': nothingUnfinished,
  'every folder has a README': foldersHaveReadmes,
  'a README names the files beside it': readmesAreWhole,
  'the guide to the properties is whole': guideIsWhole,
  'what is offered says what it is': offersAreDocumented,
  'the shells are twins': shellsAreTwins,
  'package.json and deno.json agree': versionsAgree,
  'the top of the house is tidy': topIsTidy,
}
