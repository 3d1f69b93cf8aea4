/** The files of a keyset, and the open forms for further ones. Each function is one synchronous step. */
import * as recent from "../server/recent.ts"

/** A stored file. */
export interface StoredFile {
  readonly channel: string
  readonly id: string
  readonly name: string
  readonly bytes: Uint8Array
  readonly contentType: string
  /** When it was uploaded, in ticks. */
  readonly created: bigint
}

/** A form that was given out. */
export interface OpenForm {
  readonly channel: string
  readonly id: string
  readonly name: string
  /** The fields, in their order. */
  readonly fields: ReadonlyArray<{ readonly key: string; readonly value: string }>
  /** Until when it can be used, in ticks. */
  readonly expires: bigint
}

/** A text of hexadecimal digits that looks random and depends on the seed alone. */
export const digest = (seed: string, digits: number): string => {
  let text = ""
  for (let round = 0; text.length < digits; round++) {
    let hash = 0x811c9dc5 ^ round
    for (const character of `${round}${seed}${round}`) {
      hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
    }
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39)
    text += ((hash ^ (hash >>> 15)) >>> 0).toString(16).padStart(8, "0")
  }
  return text.slice(0, digits)
}

/** How many forms are remembered. Nobody has so many open. */
const mostForms = 1_000

export const make = (
  options: { readonly subscribeKey: string; readonly retentionMillis: number; readonly storedBytes: number }
) => {
  const { retentionMillis, storedBytes, subscribeKey } = options
  const retention = Number.isFinite(retentionMillis) ? BigInt(Math.round(retentionMillis)) * 10_000n : undefined
  const files = new Map<string, StoredFile>()
  const forms = new Map<string, OpenForm>()
  const room = recent.make<StoredFile>(storedBytes, ({ bytes }) => 1024 + bytes.length)
  let made = 0

  const drop = (file: StoredFile) => {
    if (files.get(file.id) === file) files.delete(file.id)
    room.remove(file)
  }

  const isOver = ({ created }: StoredFile, now: bigint) => retention !== undefined && created + retention <= now

  const find = (id: string, now: bigint): StoredFile | undefined => {
    const file = files.get(id)
    if (file === undefined || !isOver(file, now)) return file
    drop(file)
    return undefined
  }

  return {
    /** The id of a new file: a UUID. */
    newId: (): string => {
      const hex = digest(`${subscribeKey} ${made++}`, 32)
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
    },
    /** The key under which the storage has a file. */
    keyOf: ({ channel, id, name }: Pick<StoredFile, "channel" | "id" | "name">): string =>
      `${subscribeKey}/${digest(channel, 40)}/${id}/${name}`,
    open: (form: OpenForm) => {
      forms.set(form.id, form)
      const [oldest] = forms.keys()
      if (forms.size > mostForms && oldest !== undefined) forms.delete(oldest)
    },
    /** The form whose key this is. */
    formOf: (key: string): OpenForm | undefined => forms.get(key.split("/")[2] ?? ""),
    put: (file: StoredFile) => {
      const before = files.get(file.id)
      if (before !== undefined) drop(before)
      files.set(file.id, file)
      for (const gone of room.add(file)) drop(gone)
    },
    find,
    remove: (id: string) => {
      const file = files.get(id)
      if (file !== undefined) drop(file)
    },
    /** The files of a channel, by id. */
    of: (channel: string, now: bigint): ReadonlyArray<StoredFile> =>
      [...files.values()]
        .filter((file) => file.channel === channel && !isOver(file, now))
        .toSorted((one, other) => one.id < other.id ? -1 : 1)
  }
}
