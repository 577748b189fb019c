// What an operator is answered who switches recording while the broker runs.

import type { ControlAnswer, ControlOrder } from '../../core/config/control.ts'
import type { Settings } from '../../core/config/mod.ts'
import type { Recording } from '../common/recorder.ts'
import type { Running } from '../common/start.ts'
import { isZipped } from '../trace/tapes.ts'

export const recordingTo = (path: string, settings: Settings): Recording => {
  const { traceBytesMax: bytesMax, tracePayload: payload } = settings
  return { path, bytesMax, payload }
}

const could = (says: string): ControlAnswer => ({ status: 0, says })
const couldNot = (says: string): ControlAnswer => ({ status: 1, says })

/** A disk that has not taken the first bytes by then may still take them. */
const firstMsMax = 5_000
const lookMs = 10

/** Until the first bytes are in the file, or it is known that they will not be. */
const untilBegun = async (running: Running): Promise<void> => {
  const end = performance.now() + firstMsMax
  while (performance.now() < end) {
    const last = running.recorded()
    if (last === null || last.isOver || last.bytes > 0) return
    await new Promise((resolve) => setTimeout(resolve, lookMs))
  }
}

const start = async (
  running: Running,
  settings: Settings,
  file: string | null,
): Promise<ControlAnswer> => {
  const going = running.recorded()
  if (going !== null && !going.isOver) {
    return couldNot(`There is a recording to ${going.path} already: sabethes trace stop ends it.`)
  }
  const path = file ?? settings.traceFile
  if (path === null) {
    return couldNot('Nothing says where to: sabethes trace start FILE, or trace_file.')
  }
  running.record(recordingTo(path, settings))
  await untilBegun(running)
  const begun = running.recorded()
  if (begun === null || begun.isOver) return couldNot(begun?.fault ?? 'Nothing is recorded.')
  return could(`Recording to ${path}, payloads: ${begun.payload}.`)
}

/** How much was recorded: of a file that is gzipped that is more than it has. */
const amount = (bytes: number, path: string, more = ''): string =>
  `${bytes} bytes${more}${isZipped(path) ? ' (before zipping)' : ''}`

const stop = (running: Running): ControlAnswer => {
  const going = running.recorded()
  if (going === null || going.isOver) {
    return couldNot(`Nothing is being recorded.${going?.fault ? ` ${going.fault}` : ''}`)
  }
  running.record(null)
  const { path, bytes, fault } = running.recorded() ?? { ...going, fault: null }
  return fault === null ? could(`Recorded ${amount(bytes, path)} to ${path}.`) : couldNot(fault)
}

const status = (running: Running, settings: Settings): ControlAnswer => {
  const last = running.recorded()
  if (last !== null && !last.isOver) {
    return could(
      `Recording to ${last.path}, payloads: ${last.payload}; ` +
        `${amount(last.bytes, last.path, ' so far')}.`,
    )
  }
  const next = settings.traceFile === null
    ? ''
    : ` sabethes trace start would record to ${settings.traceFile}.`
  return could(`Nothing is being recorded.${last?.fault ? ` ${last.fault}` : ''}${next}`)
}

/** Does what was asked for, and says what came of it. */
export const obeyTrace = async (
  running: Running,
  settings: Settings,
  { action, file }: ControlOrder,
): Promise<ControlAnswer> => {
  switch (action) {
    case 'start':
      return start(running, settings, file)
    case 'stop':
      return stop(running)
    case 'status':
      return status(running, settings)
  }
}
