// MQTT 5 properties as words, both ways: each has the standard's name in lower case with hyphens,
// then its value. The table of the codec says which there are, what they hold and where they may
// stand; the order of the words is the order on the wire.

import type { Properties } from '../codec/properties.ts'
import type { Place, PropertyRow } from '../codec/property.ts'
import { none } from '../codec/properties.ts'
import { propertyTable } from '../codec/property.ts'
import type { Bytes } from '../data/bytes.ts'
import * as B from '../data/bytes.ts'
import type { Words } from './words.ts'
import { fail, peek, quote, readBytes, showBytes, take, takeNumber, takeQuoted } from './words.ts'

/** How a password or authentication data is written. */
export type SecretText = (secret: Bytes) => string

/** What stands for a secret that was not written down. */
const blank = '***'

/** For logs and whatever else outlives a test: that there is a secret, and nothing more. */
export const blanked: SecretText = () => blank

/** For tests that a person wrote, secrets and all. One that was blanked before stays blank. */
export const spelled: SecretText = (secret) => B.size(secret) === 0 ? blank : showBytes(secret)

export const takeSecret = (w: Words, what: string): Bytes => {
  const token = take(w)
  const bytes = token === blank ? B.empty : readBytes(token)
  if (bytes === null) fail(w, `${what} is missing: write it as "text", 0xff00 or ${blank}`)
  return bytes ?? B.empty
}

/** One element of a list is written after its name each time, so the name is in the singular. */
const singular: Readonly<Record<string, string>> = {
  subscriptionIdentifiers: 'subscription-identifier',
  userProperties: 'user-property',
}

const nameOf = ({ key }: PropertyRow): string =>
  singular[key] ?? key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

const rowsByName = new Map<string, PropertyRow>()
const namesByKey = new Map<string, string>()
for (const row of propertyTable) {
  const name = nameOf(row)
  rowsByName.set(name, row)
  namesByKey.set(row.key, name)
}

/** Every property by the name it has here. */
export const propertyNames: ReadonlyArray<string> = [...rowsByName.keys()]

/** The properties as words, each with its value. */
export const propertyWords = (
  properties: Properties,
  secretText: SecretText,
): ReadonlyArray<string> => {
  const out: string[] = []
  const record = properties as Readonly<Record<string, unknown>>
  for (const key of Object.keys(record)) {
    const name = namesByKey.get(key)
    if (name === undefined) throw new Error(`${key} is no property`)
    const { type } = rowsByName.get(name)!
    const value = record[key]
    switch (type) {
      case 'byte':
      case 'two':
      case 'four':
        out.push(name, String(value))
        break
      case 'list':
        for (const one of value as ReadonlyArray<number>) out.push(name, String(one))
        break
      case 'string':
        out.push(name, quote(value as string, '"'))
        break
      case 'binary':
        out.push(
          name,
          key === 'authenticationData' ? secretText(value as Bytes) : showBytes(value as Bytes),
        )
        break
      case 'pairs':
        for (const [one, other] of value as ReadonlyArray<readonly [string, string]>) {
          out.push(name, quote(one, '"'), quote(other, '"'))
        }
        break
    }
  }
  return out
}

/** The properties while they are read. */
export type PropertyRecord = Record<string, unknown>

export const propertiesOf = (record: PropertyRecord): Properties =>
  Object.keys(record).length === 0 ? none : record as Properties

const largest = { byte: 0xff, two: 0xffff, four: 0xffffffff, list: 268_435_455 } as const

/** Takes one property if the next word names one; false where it does not. */
export const takeProperty = (w: Words, place: Place, record: PropertyRecord): boolean => {
  const row = rowsByName.get(peek(w))
  if (row === undefined) return false
  const name = take(w)
  const { key, type, rule } = row
  const former = record[key]
  if (!row.places.includes(place)) {
    fail(w, `${name} does not belong into ${place}: to send it all the same, write the bytes (raw)`)
  } else if (former !== undefined && !row.repeats.includes(place)) {
    fail(w, `${name} stands twice: leave one out, or write the bytes (raw)`)
  }
  switch (type) {
    case 'byte':
    case 'two':
    case 'four':
      record[key] = takeNumber(w, name, 0, rule === 'flag' ? 1 : largest[type])
      break
    case 'list': {
      const value = takeNumber(w, name, 1, largest.list)
      record[key] = former === undefined ? [value] : [...(former as ReadonlyArray<number>), value]
      break
    }
    case 'string':
      record[key] = takeQuoted(w, '"', name)
      break
    case 'binary':
      record[key] = takeSecret(w, name)
      break
    case 'pairs': {
      const pair = [takeQuoted(w, '"', `the name of ${name}`), takeQuoted(w, '"', name)] as const
      record[key] = former === undefined ? [pair] : [...(former as ReadonlyArray<unknown>), pair]
      break
    }
  }
  return true
}
