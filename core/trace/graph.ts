// A whole state as JSON values and back, exactly: every record, what is shared stays shared, and
// the tables under it keep their form, so that what is read goes on just as what was written would
// have. Knows nothing of what the records mean, and so cannot forget one; the tokens of owners are
// left out, which seals what is read, and so are secrets. `veil` says what becomes of payloads, by
// the record that one is in.
//
// A node is `[keys, value, ...]`, an object with the keys of that number; `[-1, value, ...]`, an
// array; or base64, bytes. `{"keys": [...]}` in front of nodes is the next set of keys. A value is
// itself, `[n]` for node n (they are counted in order), or `[]` for what is not there.

import * as Base64 from '../data/base64.ts'
import * as B from '../data/bytes.ts'
import type { Bytes } from '../data/bytes.ts'
import type { Either } from '../prelude.ts'
import { E } from '../prelude.ts'
import type { Json } from './shape.ts'

const isBytes = (some: unknown): some is Bytes =>
  typeof some === 'object' && some !== null && 'buffer' in some &&
  some.buffer instanceof Uint8Array

const isObject = (some: unknown): some is Readonly<Record<string, unknown>> =>
  typeof some === 'object' && some !== null && !Array.isArray(some)

/** Yields the nodes of what hangs on `root`, the root first, with sets of keys between them. */
export function* graphOf(
  root: object,
  veil: (payload: Bytes, owner: object) => Bytes,
): IterableIterator<Json> {
  const places = new Map<object, number>([[root, 0]])
  const nodes: Array<object> = [root]
  const sets = new Map<string, number>()
  const veiled = new Map<object, Bytes>()

  const held = (key: string, value: unknown, owner: object): unknown => {
    if (key === 'owner') return null
    if (value === null || value === undefined) return value
    if (key === 'password' || key === 'authenticationData') return B.empty
    if (key !== 'payload' || !isBytes(value)) return value
    const known = veiled.get(value) ?? veil(value, owner)
    veiled.set(value, known)
    return known
  }
  const written = (value: unknown): Json => {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
    if (value === undefined) return []
    if (typeof value === 'number' && Number.isFinite(value)) return value
    if (typeof value !== 'object') throw new Error(`a state cannot hold ${String(value)}`)
    const place = places.get(value)
    if (place !== undefined) return [place]
    places.set(value, nodes.length)
    nodes.push(value)
    return [nodes.length - 1]
  }

  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i]!
    if (node instanceof Uint8Array) yield Base64.encode(B.of(node))
    else if (Array.isArray(node)) {
      // By index: an array may have gaps.
      const values: Array<Json> = [-1]
      for (let at = 0; at < node.length; at++) values.push(written(node[at]))
      yield values
    } else {
      const keys = Object.keys(node)
      const name = JSON.stringify(keys)
      let set = sets.get(name)
      if (set === undefined) {
        set = sets.size
        sets.set(name, set)
        yield { keys }
      }
      const values: Array<Json> = [set]
      for (const [key, value] of Object.entries(node)) values.push(written(held(key, value, node)))
      yield values
    }
  }
}

type Node = Uint8Array | Array<unknown> | Record<string, unknown>

/** Takes nodes one by one; what they hang together to is known at the end. */
export class GraphReader {
  private readonly nodes: Array<Node> = []
  private readonly sources: Array<ReadonlyArray<unknown> | null> = []
  private readonly sets: Array<ReadonlyArray<string>> = []

  /** Null, or why this is no node. */
  add(json: unknown): string | null {
    if (typeof json === 'string') {
      const bytes = Base64.decode(json)
      if (bytes === null) return 'bytes of the snapshot are no base64'
      this.nodes.push(bytes.buffer)
      this.sources.push(null)
      return null
    }
    if (Array.isArray(json)) {
      const set: unknown = json[0]
      if (set !== -1 && (typeof set !== 'number' || this.sets[set]?.length !== json.length - 1)) {
        return 'a record of the snapshot has no keys'
      }
      this.nodes.push(set === -1 ? [] : {})
      this.sources.push(json)
      return null
    }
    const keys: unknown = isObject(json) ? json['keys'] : undefined
    if (!Array.isArray(keys)) return 'the snapshot has something that is no record'
    const names: Array<string> = []
    for (const key of keys) {
      if (typeof key !== 'string' || key === '__proto__') return 'a key of the snapshot is no name'
      names.push(key)
    }
    this.sets.push(names)
    return null
  }

  /** The root with all that hangs on it. */
  finish(): Either<string, object> {
    const { nodes, sources } = this
    for (let i = 0; i < nodes.length; i++) {
      const source = sources[i]!
      if (source === null) continue
      const node = nodes[i]!
      const set = source[0]
      const keys = typeof set === 'number' && set >= 0 ? this.sets[set]! : null
      for (let at = 1; at < source.length; at++) {
        let value = source[at]
        if (Array.isArray(value)) {
          const place: unknown = value[0]
          if (value.length === 0) value = undefined
          else if (typeof place === 'number' && nodes[place] !== undefined) value = nodes[place]
          else return E.left('the snapshot names a record that is not in it')
        } else if (isObject(value)) return E.left('the snapshot has a record inside a record')
        if (Array.isArray(node)) node.push(value)
        else if (keys !== null) (node as Record<string, unknown>)[keys[at - 1]!] = value
      }
    }
    const root = nodes[0]
    return root === undefined || Array.isArray(root) || root instanceof Uint8Array
      ? E.left('the snapshot is empty')
      : E.right(root)
  }
}
