// Where the time of a profiled process went: self time by function, from a .cpuprofile.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

interface ProfileNode {
  readonly id: number
  readonly callFrame: {
    readonly functionName: string
    readonly url: string
    readonly lineNumber: number
  }
}

interface Profile {
  readonly nodes: ReadonlyArray<ProfileNode>
  readonly samples: ReadonlyArray<number>
  readonly timeDeltas: ReadonlyArray<number>
}

const nameOf = ({ callFrame }: ProfileNode): string => {
  const name = callFrame.functionName === '' ? '(anonymous)' : callFrame.functionName
  if (callFrame.url === '') return name
  const parts = callFrame.url.split('/')
  const file = parts.slice(-2).join('/')
  return `${name}  ${file}:${callFrame.lineNumber + 1}`
}

/**
 * The functions that took most time in the profiles of a folder, as text; idle time is left out of
 * the percentages. Nothing for a folder that is not there.
 */
export const profileText = (title: string, folder: string, count: number): string => {
  if (!existsSync(folder)) return ''
  const selfUs = new Map<string, number>()
  let busyUs = 0
  let idleUs = 0
  for (const file of readdirSync(folder)) {
    const profile: Profile = JSON.parse(readFileSync(join(folder, basename(file)), 'utf8'))
    const names = new Map(profile.nodes.map((node) => [node.id, nameOf(node)]))
    profile.samples.forEach((id, i) => {
      const name = names.get(id) ?? '?'
      const us = profile.timeDeltas[i] ?? 0
      if (name === '(idle)') idleUs += us
      else busyUs += us
      if (name !== '(idle)') selfUs.set(name, (selfUs.get(name) ?? 0) + us)
    })
  }
  const lines = [...selfUs].sort((a, b) => b[1] - a[1]).slice(0, count)
  const percent = (us: number): string => ((us / busyUs) * 100).toFixed(1).padStart(5)
  const seconds = (us: number): string => `${(us / 1e6).toFixed(1)} s`
  const head = `profile of ${title}: ${seconds(busyUs)} busy, ${seconds(idleUs)} idle`
  return [head, ...lines.map(([name, us]) => `  ${percent(us)} %  ${name}`), ''].join('\n')
}
