// The door to the configuration.

export * from './acl-file.ts'
export * from './file-fault.ts'
export * from './parse.ts'
export * from './password-file.ts'
export * from './settings.ts'
export * from './source.ts'
