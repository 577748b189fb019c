// Removes one check of the core at a time and plays all rows in memory against what is left, and
// where none of them notices, all stories: every refusal must be missed by some, and so must every
// case that it lets pass.
//
//   npm run mutants                  all of them, a quarter of an hour
//   npm run mutants -- connect 120   those whose file, line or description has one of the words
//
// Each mutant is listed with the first row or story that fails, or as SURVIVED; the survivors that
// README.md explains count as explained. JOBS says how many run at a time (2). Ends with 1 where a
// survivor is not explained.

import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import * as esbuild from 'esbuild'
import { root } from '../runtimes.ts'
import { storyFiles } from '../story/files.ts'
import { mutationsOf } from './mutations.ts'
import type { Mutation } from './mutations.ts'

const folders = ['core/codec', 'core/topic', 'core/broker']

/** A mutant that takes longer does not end. */
const limitMs = 120_000

const sourceOf = (file: string): string => readFileSync(join(root, file), 'utf8')

const all: Mutation[] = folders.flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => mutationsOf(`${folder}/${name}`, sourceOf(`${folder}/${name}`)))
)

const nameOf = ({ file, line, what }: Mutation): string => `${file}:${line}: ${what}`

const words = process.argv.slice(2)
const chosen = words.length === 0
  ? all
  : all.filter((mutation) => words.some((word) => nameOf(mutation).includes(word)))

const scratch = mkdtempSync(join(tmpdir(), 'mutants-'))
const stories = join(scratch, 'stories.json')
writeFileSync(stories, JSON.stringify(storyFiles()))

let current: Mutation | null = null

const mutating: esbuild.Plugin = {
  name: 'mutating',
  setup(build) {
    build.onLoad({ filter: /\/core\/.*\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      if (current === null || path !== join(root, current.file)) {
        return { contents: text, loader: 'ts' }
      }
      const { start, end, by } = current
      return { contents: text.slice(0, start) + by + text.slice(end), loader: 'ts' }
    })
  },
}

const context = await esbuild.context({
  absWorkingDir: root,
  entryPoints: ['props/wire/mutant-run.ts'],
  bundle: true,
  platform: 'node',
  format: 'esm',
  logLevel: 'silent',
  write: false,
  plugins: [mutating],
})

type Fate =
  /** The name of a row or a story, or that the mutant did not end. */
  | { readonly by: 'row'; readonly row: string }
  | { readonly by: 'nobody' }
  /** The mutant is no program: mutations.ts made a mistake. */
  | { readonly by: 'itself'; readonly how: string }

/** Runs the bundle and tells which row or story noticed. */
const fateOf = (file: string): Promise<Fate> =>
  new Promise((resolve) => {
    execFile(process.execPath, [file, stories], { timeout: limitMs }, (error, stdout) => {
      if (error !== null) {
        resolve(
          error.killed === true
            ? { by: 'row', row: 'does not end' }
            : { by: 'itself', how: 'NOT LOADED' },
        )
      } else resolve(stdout.trim() === '' ? { by: 'nobody' } : { by: 'row', row: stdout.trim() })
    })
  })

/** Builds are made one after the other, since they share what has not changed. */
let building: Promise<unknown> = Promise.resolve()

const build = (mutation: Mutation | null, name: string): Promise<string> => {
  const made = building.then(async () => {
    current = mutation
    const { outputFiles } = await context.rebuild()
    const file = join(scratch, `${name}.mjs`)
    await writeFile(file, outputFiles?.[0]?.contents ?? '')
    return file
  })
  building = made.catch(() => {})
  return made
}

/** What README.md explains, in the first two columns of its table; `*` is anything. */
const explained = [
  ...sourceOf('props/wire/README.md').matchAll(/^\| `(core\/[^`]+)` +\| `([^`]+)` +\|/gm),
].map(([, file = '', what = '']) => {
  const parts = what.replaceAll('\\|', '|').split('*')
  const pattern = parts.map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')
  return { file, what, pattern: new RegExp(`^${pattern}$`), isUsed: false }
})

/** Whether README.md explains that this one survives. */
const isExplained = ({ file, what }: Mutation): boolean => {
  const found = explained.filter((each) => each.file === file && each.pattern.test(what))
  for (const each of found) each.isUsed = true
  return found.length > 0
}

const counts = { noticed: 0, broken: 0, explained: 0, survived: 0 }

const examine = async (mutation: Mutation, index: number): Promise<void> => {
  const fate = await build(mutation, String(index)).then(
    async (file) => {
      const found = await fateOf(file)
      rmSync(file)
      return found
    },
    (): Fate => ({ by: 'itself', how: 'NOT BUILT' }),
  )
  const name = nameOf(mutation)
  if (fate.by === 'row') {
    counts.noticed++
    console.log(`${name}\n    ${fate.row}`)
  } else if (fate.by === 'itself') {
    counts.broken++
    console.log(`${name}\n    ${fate.how}`)
  } else if (isExplained(mutation)) {
    counts.explained++
    console.log(`${name}\n    explained`)
  } else {
    counts.survived++
    console.log(`${name}\n    SURVIVED`)
  }
}

const whole = await build(null, 'whole').then(fateOf)
if (whole.by !== 'nobody') throw new Error(`the core itself fails: ${JSON.stringify(whole)}`)

const startedMs = Date.now()
let next = 0
const worker = async (): Promise<void> => {
  while (next < chosen.length) {
    const index = next++
    await examine(chosen[index]!, index)
  }
}
await Promise.all(Array.from({ length: Number(process.env['JOBS'] ?? 2) }, worker))
await context.dispose()
rmSync(scratch, { recursive: true })

const unused = words.length > 0 ? [] : explained.filter(({ isUsed }) => !isUsed)
for (const { file, what } of unused) console.log(`explained, but no survivor: ${file}: ${what}`)
console.log(
  `${chosen.length} mutants in ${Math.round((Date.now() - startedMs) / 1000)} s: ` +
    `${counts.noticed} noticed by a row or a story, ${counts.broken} are no programs, ` +
    `${counts.explained} explained, ${counts.survived} survived`,
)
process.exit(counts.survived + counts.broken + unused.length > 0 ? 1 : 0)
