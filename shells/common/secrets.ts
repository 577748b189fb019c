// Reading files with secrets in them: looked at first, and refused where not to be trusted.

import type { FileFault } from '../../core/config/file-fault.ts'
import type { FileFacts } from '../../core/config/secret-file.ts'
import { trustSecret, unreadable } from '../../core/config/secret-file.ts'
import { E } from '../../core/prelude.ts'
import type { Either } from '../../core/prelude.ts'
import { codeOf } from './message.ts'

/** What a runtime brings. Both reject where the path leads nowhere, or may not be read. */
export interface Files {
  /** What the path is, and the file behind it. */
  facts(path: string): Promise<FileFacts>
  text(path: string): Promise<string>
}

export interface SecretOptions {
  readonly allowsLinks: boolean
  /** Whom the broker runs as, for the remedy; null where that is not known. */
  readonly user: string | null
}

export interface Secret {
  readonly text: string
  /** Whole sentences without "Warning: ". */
  readonly warnings: ReadonlyArray<string>
}

const wordOf = (error: unknown): string =>
  codeOf(error) || (error instanceof Error ? error.name : String(error))

/** The content of the file, or why there is none. */
export const readSecret = async (
  files: Files,
  path: string,
  { allowsLinks, user }: SecretOptions,
): Promise<Either<FileFault, Secret>> => {
  try {
    const warnings = trustSecret(path, await files.facts(path), allowsLinks)
    return E.isLeft(warnings)
      ? warnings
      : E.right({ text: await files.text(path), warnings: warnings.right })
  } catch (error) {
    return E.left(unreadable(path, wordOf(error), user))
  }
}
