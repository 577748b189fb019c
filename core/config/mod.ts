// The door to the configuration.

export * from './parse.ts'
export * from './settings.ts'
export * from './source.ts'
