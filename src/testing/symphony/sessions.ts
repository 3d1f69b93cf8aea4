/** Who is logged in: the tokens that were given, and what each of them is good for. */
import * as Base64Url from "effect/encoding/Base64Url"
import * as recent from "../server/recent.ts"
import type { User } from "./pod.ts"

/** How somebody logged in: as a bot at the pod or at the key manager, as an application, or as one for a user. */
export type LoginKind = "session" | "keyManager" | "app" | "onBehalfOf"

/** A login that went well. */
export interface Login {
  readonly kind: LoginKind
  /** The username, or the id of an application. */
  readonly name: string
  /** Milliseconds of the clock. */
  readonly time: number
}

interface Session {
  readonly kind: LoginKind
  readonly name: string
  readonly user: User | undefined
  readonly isKeyDeliverySimple: boolean
}

export interface Sessions {
  /** A new token, which no other one is equal to. */
  readonly open: (session: Session, now: number) => string
  /** Whose token it is, unless it has expired. */
  readonly find: (token: string | undefined) => Session | undefined
  /** Makes tokens worthless: those of one name, or all. */
  readonly expire: (name: string | undefined) => void
  readonly logins: () => ReadonlyArray<Login>
}

/** So many of the newest logins are remembered, and so many tokens are good. */
const most = 10_000

/** The nonce tells the tokens of one emulator from those of another. */
export const make = (nonce: string): Sessions => {
  const sessions = new Map<string, Session>()
  const tokens = recent.make<string>(most, () => 1)
  const logins = recent.make<Login>(most, () => 1)
  let next = 0

  const tokenOf = ({ isKeyDeliverySimple, kind, name }: Session, now: number) => {
    const id = `${nonce}-${++next}`
    if (kind === "keyManager") return Base64Url.encode(`key-manager ${id}`)
    // A session token is a JWT itself. Nobody but the service reads its signature.
    const header = { alg: "RS512", typ: "JWT" }
    const claims = {
      sub: name,
      iss: "Symphony Communication Services LLC.",
      iat: Math.floor(now / 1000),
      jti: id,
      ...isKeyDeliverySimple ? { canUseSimplifiedKeyDelivery: true } : {}
    }
    return [JSON.stringify(header), JSON.stringify(claims), id].map((part) => Base64Url.encode(part)).join(".")
  }

  return {
    open: (session, now) => {
      logins.add({ kind: session.kind, name: session.name, time: now })
      const token = tokenOf(session, now)
      sessions.set(token, session)
      for (const gone of tokens.add(token)) sessions.delete(gone)
      return token
    },
    find: (token) => token === undefined ? undefined : sessions.get(token),
    expire: (name) => {
      for (const [token, session] of sessions) {
        if (name === undefined || session.name === name) sessions.delete(token)
      }
    },
    logins: logins.all
  }
}
