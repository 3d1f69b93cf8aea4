export type Bytes = Uint8Array<ArrayBuffer>

/** The bytes of several parts in a row. */
export const concat = (parts: ReadonlyArray<Uint8Array>): Bytes => {
  let size = 0
  for (const { length } of parts) size += length
  const all = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
