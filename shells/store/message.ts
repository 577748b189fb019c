// What the thread of the broker and the thread of the store say to each other: one answer for each
// request, in order. Buffers change hands, they are not copied.

import type { Stamp } from '../../core/broker/record.ts'
import type { Committed, StoreOptions } from '../common/store.ts'
import type { LoadEnd } from './database.ts'
import type { Extent } from './pack.ts'

export type Request =
  | { readonly _tag: 'Open'; readonly options: StoreOptions }
  /** Asks for the next portion, and may give the memory of one that was read. */
  | { readonly _tag: 'Load'; readonly lent: ArrayBuffer | undefined }
  | {
    readonly _tag: 'Commit'
    readonly stamp: Stamp
    readonly packed: Uint8Array<ArrayBuffer>
    readonly extent: Extent
  }
  | { readonly _tag: 'Close' }

export type Answer =
  | { readonly _tag: 'Opened'; readonly warnings: ReadonlyArray<string> }
  | { readonly _tag: 'Portion'; readonly packed: Uint8Array<ArrayBuffer> }
  | { readonly _tag: 'Loaded'; readonly end: LoadEnd }
  /** With the buffer of the batch, for the next one. */
  | {
    readonly _tag: 'Committed'
    readonly committed: Committed
    readonly packed: Uint8Array<ArrayBuffer>
  }
  | { readonly _tag: 'Closed' }
  /** Opening or loading came to nothing, for a reason to show the operator. */
  | { readonly _tag: 'Refused'; readonly why: string }
  /** The broker and the store disagree about what is there. */
  | { readonly _tag: 'Contradicted'; readonly what: string }
