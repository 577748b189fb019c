// The door to the configuration.

export * from './acl-file.ts'
export * from './broker.ts'
export { settingsCodec } from './codec.ts'
export { commandOptions, help } from './command-help.ts'
export * from './command-line.ts'
export * from './diff.ts'
export * from './file-fault.ts'
export * from './parse.ts'
export * from './password-file.ts'
export { printSettings } from './print.ts'
export * from './settings.ts'
export * from './source.ts'
