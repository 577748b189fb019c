// `${NAME}` and `${file:PATH}` in a configuration file, where the operator allows them. They stand
// in values only, and after lines have been taken apart: what a variable holds cannot begin a line.

import { E } from '../prelude.ts'
import type { Either } from '../prelude.ts'
import type { Sources } from './source.ts'
import { isMalformed, refuse, trim } from './value.ts'
import type { Refusal } from './value.ts'
import { path, quoted } from './words.ts'

// `$${` is `${` itself.
const pattern = /\$\$\{|\$\{([^}]*)\}|\$\{/g

const filePrefix = 'file:'

/** The files that a value wants to be put in. */
export const filesIn = (rest: string): ReadonlyArray<string> => {
  const files: Array<string> = []
  for (const [, name] of rest.matchAll(pattern)) {
    if (name?.startsWith(filePrefix)) files.push(name.slice(filePrefix.length))
  }
  return files
}

/** A value with everything put in. */
export const expand = (rest: string, sources: Sources): Either<Refusal, string> => {
  if (!sources.expand || !rest.includes('${')) return E.right(rest)
  let fault: Either<Refusal, never> | null = null
  const expanded = rest.replace(pattern, (found: string, name: string | undefined) => {
    if (found === '$${') return '${'
    if (name === undefined) {
      fault ??= refuse('Missing } after ${ in configuration.', 'Write $${ for ${ itself.')
      return ''
    }
    const content = contentOf(name, sources)
    if (E.isRight(content)) return content.right
    fault ??= content
    return ''
  })
  return fault ?? E.right(expanded)
}

const oneLine = 'Put in one line of UTF-8, without control characters.'

const contentOf = (name: string, sources: Sources): Either<Refusal, string> => {
  if (!name.startsWith(filePrefix)) {
    const value = sources.variables.get(name)
    if (value === undefined) {
      return refuse(
        `Variable '${quoted(name)}' is not set.`,
        'Set it in the environment of the broker, or write $${ for ${ itself.',
      )
    }
    return isMalformed(value)
      ? refuse(`Variable '${quoted(name)}' holds more than one line of text.`, oneLine)
      : E.right(value)
  }
  const file = name.slice(filePrefix.length)
  const read = sources.files.get(file)
  if (read === undefined || E.isLeft(read)) {
    return refuse(
      `Unable to open file '${path(file)}' of \${file:}.`,
      'Make it, or let the user that the broker runs as read it.',
    )
  }
  const value = trim(read.right)
  return isMalformed(value)
    ? refuse(`File '${path(file)}' of \${file:} holds more than one line of text.`, oneLine)
    : E.right(value)
}
