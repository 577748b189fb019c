// Which listener of a configuration the connections of a capture are taken to come in through. The
// captured broker's port need not be one of the configuration's: whoever maps ports, or has made
// the capture of a recording, has another there. The rules of no listener let nobody in.

import type { Config } from '../../broker/config.ts'

export interface Door {
  /** Its name, as connections are opened with it. */
  readonly listener: string
  /** The sentence on what was taken, null where there was nothing to choose. */
  readonly why: string | null
}

/** Listeners have the name of their port, and where they share it that of their address too. */
const isOn = (name: string, port: number): boolean => name.startsWith(`${port} on `)

export const doorOf = ({ listeners }: Config, port: number): Door => {
  const names = listeners.map(([name]) => name)
  if (names.length === 0 || names.includes(`${port}`)) return { listener: `${port}`, why: null }
  const sharing = names.filter((name) => isOn(name, port))
  const [listener] = [...sharing, ...names] as [string]
  const why = sharing.length > 0
    ? `${sharing.length} listeners of the configuration are on port ${port}: connections are ` +
      `taken to be of the first, ${listener}; another is chosen by putting it first.`
    : `No listener of the configuration is on port ${port}: connections are taken to be of ` +
      (names.length === 1
        ? `its only one, ${listener}.`
        : `the first of its ${names.length}, ${listener}; another is chosen by giving it port ` +
          `${port}.`)
  return { listener, why }
}
