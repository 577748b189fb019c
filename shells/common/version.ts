// The version that the command line and the log print; the same as in package.json.
export const version = '0.1.0'
