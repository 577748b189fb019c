// The door to the configuration.

export * from './parse.ts'
export * from './settings.ts'
