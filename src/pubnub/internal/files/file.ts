/** Which file is meant, and its place on the service. */
import * as Input from "../../../internal/input.ts"
import type { Detail } from "../../PubNubError.ts"
import * as Publication from "../wire/publication.ts"
import { path, subscribeKey } from "../wire/path.ts"

/** A file by its names. */
export interface Names {
  readonly channel: string
  readonly id: string
  readonly name: string
}

/** A file, or an event that has one. */
export type Ref = Names | { readonly channel: string; readonly file: { readonly id: string; readonly name: string } }

export const namesOf = (ref: Ref): Names => {
  const { id, name } = "file" in ref ? ref.file : ref
  return { channel: ref.channel, id, name }
}

const control = /\p{Cc}/u

/** A name that stays in its segment of a path, whoever decodes it. Anybody who may publish can write one into an event. */
const part: Input.Check = Input.all(
  Input.segment,
  (value) =>
    typeof value !== "string"
      ? undefined
      : value.includes("/")
      ? "has a slash, which would lead to another place"
      : control.test(value)
      ? "has a control character"
      : undefined
)

/** The name of a file to send. Other systems read a backslash as a slash. */
export const newName: Input.Check = Input.all(
  part,
  (value) =>
    typeof value === "string" && value.includes("\\") ? "has a backslash, which would lead to another place" : undefined
)

/** What is wrong with the names that the service gives a file. */
export const partIssues = ({ id, name }: Omit<Names, "channel">): ReadonlyArray<Detail> =>
  Input.issues({ id: part(id), name: part(name) })

export const issuesOf = ({ channel, id, name }: Names): ReadonlyArray<Detail> =>
  Input.issues({ channel: Publication.channel(channel), id: part(id), name: part(name) })

export const pathOf = ({ channel, id, name }: Names) =>
  path`/v1/files/${subscribeKey}/channels/${channel}/files/${id}/${name}`
