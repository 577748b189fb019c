// What the tutorials call and these scripts leave out: by name, each with its reason, and nothing
// else. A script that skips another program, or a program that is said to be absent and is not,
// fails.

import { spawnSync } from 'node:child_process'

export interface Skip {
  readonly why: string
  /** `absent`: the program is not on this machine; `outside`: what it does goes beyond the test. */
  readonly kind: 'absent' | 'outside'
}

const outside = (why: string): Skip => ({ why, kind: 'outside' })

export const skips: Readonly<Record<string, Skip>> = {
  'opkg': { why: 'the package manager of OpenWrt', kind: 'absent' },
  'arduino': { why: 'builds a sketch and puts it on a board', kind: 'absent' },
  'apt': outside('installs packages from the network'),
  'apt-get': outside('installs packages from the network'),
  'apt-key': outside('trusts the packages of a repository that is gone'),
  'curl': outside('fetches from a repository that is gone'),
  'pip': outside('installs packages from the network'),
  'ssh': outside('goes to another machine'),
  'systemctl': outside('talks to the systemd that runs this machine'),
  'man': outside("shows a page of Debian's, which small images leave out"),
}

/** What runs in a machine of its own, and would change this one where there is none. */
export const privateOnly: Readonly<Record<string, Skip>> = {
  'ldconfig': outside('writes the cache of the linker'),
  'update-rc.d': outside('changes what this machine starts'),
  '/etc/init.d/mosquitto': outside('is to be started with this machine'),
  'su': outside('asks for a password'),
  'chown': outside('is for root'),
  'adduser': outside('is for root'),
}

/** The program that a command line is about. */
export const programOf = (line: string): string => {
  const words = line.split(/\s+/).filter((word) => word !== 'sudo')
  return (words[0] ?? '').replace(/^.*\/s?bin\//, '')
}

export const isHere = (program: string): boolean =>
  spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program]).status === 0
