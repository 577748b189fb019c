// Keys and hashes: as bytes that WebCrypto takes, and compared in a time that tells nothing.

/** Bytes in memory that is surely not shared, which is all that WebCrypto takes. */
export type Raw = Uint8Array<ArrayBuffer>

export const raw = (bytes: Uint8Array): Raw => Uint8Array.from(bytes)

/** Looks at every byte, wherever the first difference is. */
export const isSame = (a: Uint8Array, b: Uint8Array): boolean => {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ (b[i] ?? 0)
  return difference === 0
}
