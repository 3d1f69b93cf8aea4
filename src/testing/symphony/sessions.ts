/** Sessions by their tokens. */
import * as Base64Url from "effect/encoding/Base64Url"
import * as recent from "../server/recent.ts"
import type { User } from "./pod.ts"

/** A bot at the pod (`session`) or at the key manager, an application, or an application on behalf of a user. */
export type LoginKind = "session" | "keyManager" | "app" | "onBehalfOf"

/** A successful login. */
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
  /** A new token, unlike all others. */
  readonly open: (session: Session, now: number) => string
  /** The session of a token, unless it has expired. */
  readonly find: (token: string | undefined) => Session | undefined
  /** Expires all tokens, or those of one name. */
  readonly expire: (name: string | undefined) => void
  readonly logins: () => ReadonlyArray<Login>
}

/** How many logins and tokens are kept. */
const most = 10_000

/** The nonce makes the tokens of two emulators different. */
export const make = (nonce: string): Sessions => {
  const sessions = new Map<string, Session>()
  const tokens = recent.make<string>(most, () => 1)
  const logins = recent.make<Login>(most, () => 1)
  let next = 0

  const tokenOf = ({ isKeyDeliverySimple, kind, name }: Session, now: number) => {
    const id = `${nonce}-${++next}`
    if (kind === "keyManager") return Base64Url.encode(`key-manager ${id}`)
    // A session token is a JWT. Only the service reads its signature.
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
