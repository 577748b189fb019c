// What rights.test.ts compares: access lists, password files, and who tries them; and where the two
// brokers differ on purpose.

import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'

export interface Client {
  readonly id: string
  readonly userName: string | null
}

const userNames = [null, 'ann', 'bob', 'a/b', 'a+', '%c']

export const clients: ReadonlyArray<Client> = [
  ...userNames.map((userName, i) => ({ id: `c${i}`, userName })),
  ...['a', 'a/b', 'a#', '+', '%u'].map((id) => ({ id, userName: 'ann' })),
  { id: 'a#', userName: null },
]

export const topics: ReadonlyArray<string> = [
  'a',
  'a/b',
  'a/b/c',
  '/',
  'a/',
  'b',
  'ann',
  'ann/x',
  'bob/x',
  'c1',
  'c2/x',
  'a/b/x',
  'x/c1/ann',
  'x/a/ann',
  '%c/x',
  '%u/x',
  '$p/a',
  'home sweet/home',
]

export const files: Readonly<Record<string, string>> = {
  nothing: '',
  'topics of nobody': 'topic read a\ntopic write a/b\ntopic readwrite b\ntopic ann\n',
  wildcards:
    'topic read a/+\ntopic write a/#\nuser ann\ntopic read +/x\ntopic write #\nuser bob\n' +
    'topic +\ntopic +/#\n',
  'what is denied':
    'topic #\ntopic deny a/b\nuser ann\ntopic deny a/#\ntopic readwrite #\nuser bob\n' +
    'topic readwrite a/b\ntopic read a/#\ntopic deny a/b/c\ntopic deny b\n',
  patterns: 'pattern read %u/#\npattern write %c/#\npattern readwrite x/%c/%u\npattern read b\n',
  'patterns of names alone': 'pattern readwrite %u/#\npattern readwrite %c\n',
  'patterns that deny':
    'topic read #\nuser ann\ntopic read a/#\npattern readwrite #\npattern deny %u/#\n',
  'users and patterns':
    'topic read home sweet/home\nuser ann\ntopic write b\ntopic deny ann/x\nuser bob\n' +
    'topic read b\nuser ann\ntopic read b\npattern readwrite %u/x\npattern read $p/#\n',
  'topics with a dollar sign': 'topic readwrite $p/#\nuser ann\ntopic readwrite +/a\n',
}

/** The patterns of a file ask for this sign. */
const asksFor = (text: string, sign: '%c' | '%u'): boolean =>
  text.split('\n').some((line) => line.startsWith('pattern ') && line.includes(sign))

/** The names of a client that stand in a pattern of the file, and those that do not. */
const namesOf = (text: string, { id, userName }: Client, areAsked: boolean): string =>
  (asksFor(text, '%c') === areAsked ? id : '') +
  (asksFor(text, '%u') === areAsked ? userName ?? '' : '')

export interface Difference {
  readonly name: string
  readonly reason: string
  /** Whether Sabethes gives less than mosquitto, or more. */
  readonly gives: 'less' | 'more'
  readonly at: (text: string, client: Client) => boolean
}

export const differences: ReadonlyArray<Difference> = [
  {
    name: 'a separator in a name that a pattern asks for',
    reason: 'mosquitto 2.1 has auth_plugin_deny_special_chars for it, which is true by default',
    gives: 'less',
    at: (text, client) => namesOf(text, client, true).includes('/'),
  },
  {
    name: 'a wildcard in a name that no pattern asks for',
    reason: 'mosquitto leaves all patterns out, though the name comes into none of them',
    gives: 'more',
    at: (text, client) =>
      text.includes('pattern ') && /[+#]/.test(namesOf(text, client, false)) &&
      !/[+#/]/.test(namesOf(text, client, true)),
  },
]

const sha512 = (password: string, salt: string): string => {
  const hash = createHash('sha512').update(password).update(salt).digest('base64')
  return `$6$${Buffer.from(salt).toString('base64')}$${hash}`
}

/**
 * As mosquitto 1.6 wrote it (its salts have twelve bytes), and as editors leave it; the user `tool`
 * is made by mosquitto_passwd.
 */
export const passwordFile = `# users\nold:${sha512('bond', 'pepperpepper')}\n` +
  `twice:${sha512('first', 'saltsaltsalt')}\nempty:${sha512('', 'saltsaltsalt')}\n` +
  ` lead:${sha512('x', 'saltsaltsalt')}\ntrail \t:${sha512('x', 'saltsaltsalt')}\n` +
  ` # user :\t${sha512('x', 'saltsaltsalt')} \r\nfields::${sha512('x', 'saltsaltsalt')}:more\n`

export interface Door {
  readonly userName: string | null
  readonly password: string | null
}

export const doors: ReadonlyArray<Door> = [
  { userName: null, password: null },
  { userName: null, password: 'x' },
  { userName: '', password: '' },
  { userName: '', password: 'x' },
  { userName: 'tool', password: 'g\u00fcnther' },
  { userName: 'tool', password: 'gunther' },
  { userName: 'tool', password: 'g\u00fcnther ' },
  { userName: 'tool', password: '' },
  { userName: 'tool', password: null },
  { userName: 'Tool', password: 'g\u00fcnther' },
  { userName: 'old', password: 'bond' },
  { userName: 'old', password: 'bondpepper' },
  { userName: 'old', password: 'bon' },
  { userName: 'twice', password: 'first' },
  { userName: 'nobody', password: 'x' },
  { userName: '# users', password: '' },
  { userName: 'empty', password: '' },
  { userName: 'empty', password: null },
  { userName: 'empty', password: 'x' },
  { userName: 'lead', password: 'x' },
  { userName: ' lead', password: 'x' },
  { userName: 'trail', password: 'x' },
  { userName: 'trail ', password: 'x' },
  { userName: '# user', password: 'x' },
  { userName: 'fields', password: 'x' },
]
