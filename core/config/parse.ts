// The grammar of mosquitto.conf, as a pure function from the texts that the shell has read to the
// settings, or to an error that names the file and the line.

import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import { settingsCodec } from './codec.ts'
import { emptyDraft, fault } from './draft.ts'
import type { Above, Draft, Fault } from './draft.ts'
import { expand, filesIn } from './expand.ts'
import { takeLine } from './line.ts'
import { resolve } from './resolve.ts'
import type { StoreWish } from './resolve.ts'
import type { Place, Settings } from './settings.ts'
import type { ConfigError, Sources, Unread, Wanted } from './source.ts'
import { empty } from './value.ts'
import { path as shown } from './words.ts'

/** One line that is no comment. */
interface Line {
  readonly number: number
  readonly name: string
  /** What follows the name and one blank. */
  readonly rest: string
}

const linesOf = (text: string): ReadonlyArray<Line> => {
  const lines: Array<Line> = []
  // A byte order mark is what an editor put there.
  const whole = text.startsWith('\ufeff') ? text.slice(1) : text
  let from = 0
  for (let number = 1; from < whole.length; number++) {
    const end = whole.indexOf('\n', from)
    const to = end === -1 ? whole.length : end
    const line = whole[from] === '#' ? '' : whole.slice(from, to).replace(/\r+$/, '')
    from = to + 1
    let at = 0
    while (line[at] === ' ') at++
    if (at === line.length) continue
    const blank = line.indexOf(' ', at)
    lines.push(
      blank === -1
        ? { number, name: line.slice(at), rest: '' }
        : { number, name: line.slice(at, blank), rest: line.slice(blank + 1) },
    )
  }
  return lines
}

/** A before a before B, as mosquitto sorts them. */
const inOrder = (a: string, b: string): number => {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [x, y] = [a[i]!, b[i]!]
    if (x === y) continue
    const [upperX, upperY] = [upper(x), upper(y)]
    return upperX === upperY ? (x < y ? -1 : 1) : upperX < upperY ? -1 : 1
  }
  return a.length - b.length
}

const upper = (letter: string): string =>
  letter >= 'a' && letter <= 'z' ? letter.toUpperCase() : letter

/** The files of a folder that include_dir reads, in its order. */
const included = (folder: string, names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names
    .filter((name) => name.length > 5 && name.endsWith('.conf'))
    .sort(inOrder)
    .map((name) => `${folder}/${name}`)

/**
 * What has to be read for the file at `path` and is not in `sources` yet. A shell asks, reads, adds
 * what it has read (a Left where it cannot), and asks again until both lists are empty.
 */
export const wanted = (path: string, sources: Sources): Wanted => {
  const files = new Set<string>()
  const folders = new Set<string>()
  const visit = (file: string, isMain: boolean): void => {
    const read = sources.files.get(file)
    if (read === undefined) {
      files.add(file)
      return
    }
    if (E.isLeft(read)) return
    for (const { name, rest } of linesOf(read.right)) {
      const missing = sources.expand ? filesIn(rest).filter((one) => !sources.files.has(one)) : []
      for (const one of missing) files.add(one)
      if (name !== 'include_dir' || !isMain || missing.length > 0) continue
      const folder = expand(rest, sources)
      if (E.isLeft(folder) || folder.right === '') continue
      const names = sources.folders.get(folder.right)
      if (names === undefined) folders.add(folder.right)
      else if (E.isRight(names)) {
        for (const one of included(folder.right, names.right)) visit(one, false)
      }
    }
  }
  visit(path, true)
  return { files: [...files], folders: [...folders] }
}

/** A fault with the places that lead to it, the innermost first. */
interface Found {
  readonly fault: Fault
  readonly places: ReadonlyArray<Place>
}

const found = (some: Fault, place: Place): Found => ({ fault: some, places: [place] })

/**
 * Reads the configuration file at `path`, once nothing is `wanted` any more. `ports` are those of
 * the command line; they count where the file defines no listener. `wish` is what the command line
 * says about the store.
 */
export const parseConfig = (
  path: string,
  sources: Sources,
  ports: ReadonlyArray<number> = [],
  wish?: StoreWish,
): Either<ConfigError, Settings> => {
  const draft = emptyDraft()
  const error = takeFile(draft, path, path, sources)
  if (error !== null) return E.left(errorOf(path, error))
  const settings = resolve(draft, ports, sources.variables, wish)
  if ('fault' in settings) return E.left(errorOf(path, found(settings.fault, settings.given)))
  const decoded = settingsCodec.decode(settings)
  // The table and the codec disagree: a fault of ours, and never a way past the codec.
  if (E.isLeft(decoded)) throw new Error('the settings of a configuration are not whole')
  return E.right(settings)
}

const mayNotRead = 'The user that the broker runs as may not read it.'

const unreadable = (file: string, why: Unread): Fault => {
  if (why === 'directory') {
    return fault(`Config file '${shown(file)}' is a directory.`, 'Name a file in it.')
  }
  if (why === 'special') {
    // Nobody may ever write into a pipe, and a device may never end.
    return fault(`Config file '${shown(file)}' is a pipe, a socket or a device.`, 'Name a file.')
  }
  const remedy = why === 'not allowed'
    ? mayNotRead
    : why === 'missing'
    ? 'There is no such file.'
    : 'The system cannot read it.'
  return fault(`Unable to open config file '${shown(file)}'.`, remedy)
}

const takeFile = (draft: Draft, main: string, file: string, sources: Sources): Found | null => {
  const read = sources.files.get(file)
  if (read === undefined || E.isLeft(read)) {
    const why = read === undefined ? 'missing' : read.left
    return { fault: unreadable(file, why), places: [] }
  }
  const above: Above = { listener: null, plugin: null }
  for (const { number, name, rest } of linesOf(read.right)) {
    const place = { file, line: number }
    if (rest.includes('\0') || name.includes('\0')) {
      return found(fault('Malformed UTF-8 in configuration.', 'The line has a NUL.'), place)
    }
    const expanded = expand(rest, sources)
    if (E.isLeft(expanded)) return found({ ...expanded.left, status: 3 }, place)
    if (name === 'include_dir') {
      const inner = takeFolder(draft, main, place, expanded.right, sources)
      if (inner !== null) return { ...inner, places: [...inner.places, place] }
      continue
    }
    const wrong = takeLine(draft, above, name, expanded.right, place)
    if (wrong !== null) return found(wrong, place)
  }
  return null
}

const takeFolder = (
  draft: Draft,
  main: string,
  place: Place,
  folder: string,
  sources: Sources,
): Found | null => {
  const here = (line: string, remedy: string): Found => ({
    fault: fault(line, remedy),
    places: [],
  })
  if (place.file !== main) {
    return here(
      'The include_dir option is only valid in the main configuration file.',
      `Write it in ${shown(main)}, or take it out.`,
    )
  }
  if (folder === '') {
    const { line, remedy } = empty('include_dir')
    return here(line, remedy)
  }
  const names = sources.folders.get(folder)
  if (names === undefined || E.isLeft(names)) {
    const remedy = /^ | $| #/.test(folder)
      ? 'A blank at its ends, and what follows it, count as a part of its name.'
      : names?.left === 'not allowed'
      ? mayNotRead
      : 'Name a folder that is there.'
    return here(`Unable to open include_dir '${shown(folder)}'.`, remedy)
  }
  for (const file of included(folder, names.right)) {
    draft.notices.push(`Loading config file '${shown(file)}'`)
    const inner = takeFile(draft, main, file, sources)
    if (inner !== null) return inner
  }
  return null
}

const errorOf = (main: string, { fault: { line, remedy, status }, places }: Found): ConfigError => {
  const [place] = places
  return {
    lines: [
      `Error: ${line}`,
      ...places.map(({ file, line: number }) =>
        file === main
          ? `Error found at ${shown(file)}:${number}.`
          : `Error found at '${shown(file)}:${number}'.`
      ),
      remedy,
    ],
    status,
    file: place?.file ?? main,
    line: place?.line ?? 0,
  }
}
