// The stories of props/traces and the statements of props/clauses, as files.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { E } from '../../core/prelude.ts'
import type { Story } from '../../core/trace/story.ts'
import { parseStory } from '../../core/trace/story.ts'
import { root } from '../runtimes.ts'

export const tracesFolder = join(root, 'props/traces')

export interface StoryFile {
  /** `qos2-retransmission.trace` */
  readonly file: string
  readonly text: string
}

/** All stories, or those whose names hold the environment's STORY. */
export const storyFiles = (): ReadonlyArray<StoryFile> => {
  const wanted = process.env['STORY'] ?? ''
  return readdirSync(tracesFolder)
    .filter((file) => file.endsWith('.trace') && file.includes(wanted))
    .sort()
    .map((file) => ({ file, text: readFileSync(join(tracesFolder, file), 'utf8') }))
}

/** The story of a file; throws where it is none, with the place and the remedy. */
export const storyOf = ({ file, text }: StoryFile): Story => {
  const story = parseStory(text, `props/traces/${file}`)
  if (E.isLeft(story)) throw new Error(story.left)
  return story.right
}

/** Whom a statement binds. */
const binds: ReadonlyArray<string> = ['server', 'client', 'both']

/** The ids of a table of statements; throws where a line is not `id<TAB>binds<TAB>paraphrase`. */
export const statementIds = (table: 'mqtt5' | 'mqtt311'): ReadonlyArray<string> => {
  const file = join(root, 'props/clauses', `${table}.tsv`)
  const ids: string[] = []
  for (const [at, line] of readFileSync(file, 'utf8').trimEnd().split('\n').entries()) {
    const [id = '', whom = '', paraphrase = ''] = line.split('\t')
    if (!/^MQTT-[\d.]+-\d+$/.test(id) || !binds.includes(whom) || paraphrase === '') {
      throw new Error(`props/clauses/${table}.tsv:${at + 1}: not id, binds and paraphrase`)
    }
    if (ids.includes(id)) throw new Error(`props/clauses/${table}.tsv:${at + 1}: ${id} again`)
    ids.push(id)
  }
  return ids
}

/** Every id that a text cites in brackets, `v3 ` in front where it is one of 3.1.1. */
export const citations = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/\[((?:v3 )?MQTT-[^\]\s]*)\]/g)].map((found) => found[1]!)
