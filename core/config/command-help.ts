// The options of the command line as data, and the page of --help that is made of them.

/** How often -p can be given. */
export const portsMax = 10

/** An option of the command line. */
export interface Word {
  readonly names: ReadonlyArray<string>
  /** What follows it, null for nothing. */
  readonly wants: string | null
  readonly help: string
}

/** All options, in the order of --help. */
export const commandOptions: ReadonlyArray<Word> = [
  {
    names: ['-c', '--config-file'],
    wants: 'file',
    help: 'read this configuration file, written as mosquitto.conf. Without one, only this ' +
      'machine is served.',
  },
  {
    names: ['-d', '--daemon'],
    wants: null,
    help: 'go to the background once all is open.',
  },
  {
    names: ['-h', '--help'],
    wants: null,
    help: 'display this help.',
  },
  {
    names: ['-p', '--port'],
    wants: 'port',
    help: 'listen on this port of 127.0.0.1 and ::1, 1883 where none is given. Can be ' +
      'given up to 10 times. Ignored if the configuration file has a listener.',
  },
  {
    names: ['-q', '--quiet'],
    wants: null,
    help: 'no log, whatever the configuration file says. Beats -v.',
  },
  {
    names: ['-v', '--verbose'],
    wants: null,
    help: 'log everything, whatever the configuration file says, with a line per packet.',
  },
  {
    names: ['--test-config'],
    wants: null,
    help: 'say whether the configuration is good, and end.',
  },
  {
    names: ['--tls-keylog'],
    wants: 'file',
    help: 'not there yet, as TLS is not.',
  },
  {
    names: ['--version'],
    wants: null,
    help: 'display the version number.',
  },
  {
    names: ['--expand'],
    wants: null,
    help: 'in the values of the configuration file ${NAME} stands for a variable of the ' +
      'environment, ${file:PATH} for the content of a file.',
  },
  {
    names: ['--persistence'],
    wants: 'true | false',
    help: 'whether sessions, their messages, retained messages and wills outlive the ' +
      'program: then nothing is acknowledged before it is on disk. Defaults to false.',
  },
  {
    names: ['--persistence-location'],
    wants: 'folder',
    help: 'where the store lies, the file sabethes.sqlite3. Defaults to the folder of the ' +
      'moment.',
  },
  {
    names: ['--max-store-bytes'],
    wants: 'number',
    help: 'the store takes no more than that. Defaults to what the disk has room for.',
  },
  {
    names: ['--salvage'],
    wants: null,
    help: 'serve what is sound of a damaged store.',
  },
  {
    names: ['--trace'],
    wants: 'file',
    help: 'record all that the broker is told, for sabethes replay. Beats trace_file.',
  },
]

const columns = 79
const indent = 20

/** A paragraph in lines that fit beside the names of the options. */
const wrap = (text: string): ReadonlyArray<string> => {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1]!
    if (last === '') lines[lines.length - 1] = word
    else if (indent + last.length + 1 + word.length <= columns) {
      lines[lines.length - 1] = `${last} ${word}`
    } else lines.push(word)
  }
  return lines
}

const helpFor = ({ names, wants, help }: Word): string => {
  const start = names[0]!.startsWith('--') ? '     ' : ' '
  const head = `${start}${names.join(', ')}${wants === null ? '' : ` ${wants}`}`
  const [first, ...rest] = wrap(help)
  const lines = head.length < indent
    ? [`${head.padEnd(indent)}${first}`, ...rest.map((line) => ' '.repeat(indent) + line)]
    : [head, ...[first, ...rest].map((line) => ' '.repeat(indent) + line)]
  return lines.join('\n')
}

/** What --help prints. */
export const help = (version: string): string =>
  `sabethes version ${version}

sabethes is an MQTT broker for MQTT 5.0, 3.1.1 and 3.1.

Usage: sabethes [-c file] [-d] [-p port] [-q | -v] [--test-config]
       sabethes store verify | dump DIR
       sabethes config diff [--expand] OLD NEW
       sabethes replay FILE [options]
       sabethes trace start [FILE] | stop | status [options]
       sabethes shrink FILE --property NAME [-o OUT]
       sabethes explain FILE --message TOPIC[@TIME] [--client ID]
       sabethes explain FILE --why-disconnected ID
       sabethes [-h | --version]

 store verify       look for damage in the store in this folder.
 store dump         print the records of the store, one per line.
 config diff        print what changes from one configuration file to another,
                    and when it takes effect after a reload.
 replay             play a recording to the broker and print what happens; with
                    --help its options.
 trace              begin or end a recording of a broker that runs; with --help
                    its options.
 shrink             make a recording that shows a failure as short as it gets;
                    with --help its options.
 explain            say of a message in a recording whom it reached and why not
                    whom, or of a client why it was disconnected.

${commandOptions.map(helpFor).join('\n')}
`
