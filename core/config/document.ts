// The page of all options, made of the table.

import { groups } from './option.ts'
import type { Kind, Option, Scope } from './option.ts'
import { showValue } from './value.ts'

const shapes: Readonly<Record<Exclude<Kind['_tag'], 'Word' | 'Text' | 'Own' | 'Whole'>, string>> = {
  Truth: 'true or false',
  Duration: 'number and s h d w m y',
  Levels: 'some of 3, 4, 5',
  Facility: '0 to 7',
  Destination: 'destination',
  LogType: 'type',
}

const shapeOf = (kind: Kind): string => {
  switch (kind._tag) {
    case 'Word':
      return kind.words.map(([word]) => word).join(', ')
    case 'Text':
      return kind.what
    case 'Own':
      return kind.shape
    case 'Whole':
      return kind.unit === '' ? 'number' : kind.unit
    default:
      return shapes[kind._tag]
  }
}

const scopes: Readonly<Record<Scope, string>> = {
  global: 'broker',
  security: 'broker (1)',
  listener: 'listener (2)',
  'listener only': 'listener',
  'explicit listener': 'listener',
  plugin: 'plugin',
  bridge: 'bridge',
}

const defaultOf = (option: Option): string => {
  const { initial, kind, missing } = option
  if (missing !== null || initial === null || initial === '' || kind._tag === 'Own') return ''
  if (kind._tag === 'Facility' || option.name === 'socket_domain') return String(initial)
  const lines = showValue(option, initial)
  return lines.filter((one) => one !== 'none' || lines.length === 1).join(', ')
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

const rowOf = (option: Option): string => {
  const { name, aliases, kind, scope, reload, since, deprecated, missing, meaning } = option
  const names = [name, ...aliases].map((one) => `\`${one}\``).join(', ')
  const more = [
    meaning,
    since === null ? '' : since === 'Sabethes' ? 'Only Sabethes has it.' : `Since ${since}.`,
    deprecated === null ? '' : `Deprecated: ${deprecated}.`,
    missing === null ? '' : `**Refused:** ${missing}`,
  ].filter((one) => one !== '')
  const cells = [
    names,
    shapeOf(kind),
    defaultOf(option),
    scopes[scope],
    missing === null ? reload : '',
    more.join(' '),
  ]
  return `| ${cells.map(cell).join(' | ')} |`
}

const head = `# Every option of mosquitto.conf

Generated from the table in this folder. What mosquitto 2.1 knows is here: it works, or it is
refused with the reason and the remedy. How a file is read, and where Sabethes is stricter than
mosquitto, is in \`README.md\`.

(1) With \`per_listener_settings true\` it belongs to the listener above it. (2) Without a listener
above it, it belongs to the default listener. "When" is when a change takes effect after a reload.
`

/** The page as Markdown. */
export const printTable = (table: ReadonlyArray<Option>): string => {
  const sections = groups.map((group) => {
    const rows = table.filter((option) => option.group === group).map(rowOf)
    return [
      `## ${group}`,
      '',
      '| option | value | default | of the | when | meaning |',
      '| --- | --- | --- | --- | --- | --- |',
      ...rows,
      '',
    ].join('\n')
  })
  return `${head}\n${sections.join('\n')}`
}
