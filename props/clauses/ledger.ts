// The ledger of the normative statements of both standards: what each says, whom it binds, what
// becomes of it here, where core enforces it and which tests cite it. The tables say what is meant
// to be, the citations in core and props what is; whoever reads both sees where they differ.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../runtimes.ts'

/** `server`: enforced by the broker. `client`: binds the peer alone. `excluded`: see the remark. */
export type Status = 'server' | 'client' | 'excluded'

export interface Statement {
  /** As it is cited: `MQTT-3.1.2-3`, or `v3 MQTT-3.1.2-3` for 3.1.1's own numbers. */
  readonly id: string
  readonly binds: 'server' | 'client' | 'both'
  readonly paraphrase: string
  readonly status: Status
  /** Why a statement is excluded, what was chosen where it leaves a choice; may be empty. */
  readonly remark: string
}

export interface Citation {
  readonly id: string
  /** `core/broker/connect.ts:40` */
  readonly place: string
  /** Cited as `![...]`: consciously not applied there. */
  readonly isDenial: boolean
}

export type Table = 'mqtt5' | 'mqtt311'

export const tables: ReadonlyArray<Table> = ['mqtt5', 'mqtt311']

/** How many statements each chapter of a standard has, from chapter 1 on. */
export const chapters: { readonly [table in Table]: ReadonlyArray<number> } = {
  mqtt5: [5, 7, 175, 60, 0, 4, 0],
  mqtt311: [3, 9, 95, 26, 0, 4, 4],
}

/** The numbers that a standard left out: in every other section they go up from 1 by one. */
export const gaps: ReadonlySet<string> = new Set(['MQTT-2.2.1-1'])

const isBinds = (word: string): word is Statement['binds'] =>
  word === 'server' || word === 'client' || word === 'both'

const isStatus = (word: string): word is Status =>
  word === 'server' || word === 'client' || word === 'excluded'

/** The lines of a table; throws with file and line where one is not in the form. */
export const parseTable = (table: Table, text: string): ReadonlyArray<Statement> => {
  const seen = new Set<string>()
  return text.trimEnd().split('\n').map((line, at) => {
    const where = `props/clauses/${table}.tsv:${at + 1}`
    const [number = '', binds = '', paraphrase = '', status = '', remark = '', ...more] = line
      .split('\t')
    if (!/^MQTT-\d+(\.\d+)*-\d+(\.\d+)*$/.test(number)) {
      throw new Error(`${where}: no id: ${number}`)
    }
    if (seen.has(number)) throw new Error(`${where}: ${number} is listed twice`)
    seen.add(number)
    if (!isBinds(binds)) throw new Error(`${where}: binds is server, client or both: ${binds}`)
    if (paraphrase === '') throw new Error(`${where}: ${number} has no paraphrase`)
    if (!isStatus(status)) throw new Error(`${where}: status is server, client or excluded`)
    if (more.length > 0) throw new Error(`${where}: more than five columns`)
    return { id: table === 'mqtt5' ? number : `v3 ${number}`, binds, paraphrase, status, remark }
  })
}

export const readTable = (table: Table): ReadonlyArray<Statement> =>
  parseTable(table, readFileSync(join(root, `props/clauses/${table}.tsv`), 'utf8'))

/** Every `[MQTT-...]` and `[v3 MQTT-...]` of a text. */
export const citationsIn = (text: string, file: string): ReadonlyArray<Citation> =>
  text.split('\n').flatMap((line, at) =>
    [...line.matchAll(/(!?)\[((?:v3 )?MQTT-[^\]\s]*)\]/g)].map((found) => ({
      id: found[2]!,
      place: `${file}:${at + 1}`,
      isDenial: found[1] === '!',
    }))
  )

// `fault(reason, clause, ...)`; of a cursor `fail(c, reason, clause, ...)` and, where the standards
// number differently, `failBy(c, reason, clause, olderClause, ...)`.
const refusal =
  /\b(fault|fail|failBy)\(\s*(?:c,\s*)?[\w.]+,\s*'((?:v3 )?MQTT-[^']*)'(?:,\s*'([^']*)')?/g

/** The statements that refusals name: to refuse whoever breaks a statement is to enforce it. */
export const refusalsIn = (text: string, file: string): ReadonlyArray<Citation> =>
  [...text.matchAll(refusal)].flatMap((found) => {
    const [, by, id, elder] = found
    const place = `${file}:${text.slice(0, found.index).split('\n').length}`
    return (by === 'failBy' ? [id!, `v3 ${elder}`] : [id!])
      .map((cited) => ({ id: cited, place, isDenial: false }))
  })

const filesBelow = (folder: string, isWanted: (file: string) => boolean): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return filesBelow(path, isWanted)
    return isWanted(path) ? [path] : []
  })

/** Where the broker enforces: what comments cite and what refusals name. */
export const citationsOfCore = (): ReadonlyArray<Citation> =>
  ['core', 'shells']
    .flatMap((folder) => filesBelow(folder, (file) => file.endsWith('.ts')))
    .flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8')
      return [...citationsIn(text, file), ...refusalsIn(text, file)]
    })

// What only helps tests, or is the dumb model itself, proves nothing about the core.
const helpers = ['props/clauses', 'props/gen/', 'props/model/', 'props/bench/']

/** What tests say they are about: stories, tables of exchanges, properties. */
export const citationsOfProps = (): ReadonlyArray<Citation> =>
  filesBelow(
    'props',
    (file) => /\.(ts|trace|py)$/.test(file) && !helpers.some((helper) => file.startsWith(helper)),
  ).flatMap((file) => citationsIn(readFileSync(join(root, file), 'utf8'), file))

const group = (
  citations: ReadonlyArray<Citation>,
): ReadonlyMap<string, ReadonlyArray<Citation>> => {
  const byId = new Map<string, Citation[]>()
  for (const citation of citations) {
    const known = byId.get(citation.id)
    if (known === undefined) byId.set(citation.id, [citation])
    else known.push(citation)
  }
  return byId
}

/** What is wrong with the ledger, a sentence each. */
export const faultsOf = (
  statements: ReadonlyArray<Statement>,
  core: ReadonlyArray<Citation>,
  props: ReadonlyArray<Citation>,
): ReadonlyArray<string> => {
  const known = new Set(statements.map(({ id }) => id))
  const inCore = group(core)
  const inProps = group(props)
  const unknown = [...core, ...props]
    .filter(({ id }) => !known.has(id))
    .map(({ id, place }) => `${place}: [${id}] is in no table: cite an id of props/clauses`)
  const wrong = statements.flatMap(({ id, status, remark }): ReadonlyArray<string> => {
    const places = inCore.get(id) ?? []
    const enforced = places.filter(({ isDenial }) => !isDenial)
    switch (status) {
      case 'server':
        return [
          ...(enforced.length === 0
            ? [`${id}: enforced by the server, says the table, but no line of core cites it`]
            : []),
          ...((inProps.get(id) ?? []).length === 0
            ? [`${id}: enforced by the server, but no test cites it: write the one that fails`]
            : []),
        ]
      case 'client':
      case 'excluded':
        return [
          ...enforced.map(({ place }) =>
            `${place}: [${id}] is cited as enforced, but the table says ${status}`
          ),
          ...(status === 'excluded' && remark === '' ? [`${id}: excluded without a reason`] : []),
        ]
    }
  })
  return [...unknown, ...wrong]
}

const shortPlaces = (citations: ReadonlyArray<Citation> | undefined): string => {
  const files = [...new Set((citations ?? []).map(({ place }) => place.replace(/:\d+$/, '')))]
  return files.length > 3 ? `${files.slice(0, 3).join(' ')} +${files.length - 3}` : files.join(' ')
}

/** The ledger as text, a line for each statement, with the counts at the end. */
export const print = (): string => {
  const inCore = group(citationsOfCore())
  const inProps = group(citationsOfProps())
  const lines: string[] = []
  for (const table of tables) {
    const statements = readTable(table)
    for (const { id, status, paraphrase, remark } of statements) {
      lines.push(`${id.padEnd(20)} ${status.padEnd(8)} ${paraphrase}`)
      if (remark !== '') lines.push(`${' '.repeat(30)}${remark}`)
      if (status !== 'server') continue
      lines.push(`${' '.repeat(30)}core:  ${shortPlaces(inCore.get(id))}`)
      lines.push(`${' '.repeat(30)}tests: ${shortPlaces(inProps.get(id))}`)
    }
    const count = (status: Status): number =>
      statements.filter((statement) => statement.status === status).length
    lines.push(
      '',
      `${table}: ${statements.length} statements, ${count('server')} enforced by the server, ` +
        `${count('client')} client-only, ${count('excluded')} excluded`,
      '',
    )
  }
  return lines.join('\n')
}
