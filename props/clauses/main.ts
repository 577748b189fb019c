// `npm run clauses`: the ledger of normative statements, with what core and the tests say of each.

import process from 'node:process'
import { print } from './ledger.ts'

process.stdout.write(`${print()}\n`)
