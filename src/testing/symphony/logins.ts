/** Logins: a token that a registered key signed gives a session. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Answer } from "../server/message.ts"
import * as answers from "./answers.ts"
import * as call from "./call.ts"
import * as jwt from "./jwt.ts"
import type { Service } from "./service.ts"
import type { LoginKind } from "./sessions.ts"

const body = call.json(Schema.Struct({ token: Schema.String }))

/** The login of an account by its own key. */
const byKey = <A extends { readonly key: jwt.PublicKey | undefined }>(
  find: (service: Service, name: string) => A | undefined,
  open: (account: A, service: Service, now: number) => Answer
): call.Handler<call.Request> =>
  Effect.fnUntraced(function*(service, request) {
    const { token } = yield* body(request)
    const account = yield* jwt.verify(token, (name) => find(service, name))
    if (account === undefined) return answers.notAuthenticated
    return yield* service.step((now) => open(account, service, now))
  })

const answer = (name: string, token: string) => answers.ok({ name, token })

const asBot = (kind: LoginKind, tokenName: string) =>
  byKey(
    ({ pod }, username) => pod.user({ username }),
    (user, { sessions, settings }, now) =>
      answer(
        tokenName,
        sessions.open({
          kind,
          name: user.username,
          user,
          isKeyDeliverySimple: kind === "session" && settings.isKeyDeliverySimple
        }, now)
      )
  )

export const atPod = asBot("session", "sessionToken")

export const atKeyManager = asBot("keyManager", "keyManagerToken")

export const asApp = byKey(
  ({ pod }, id) => pod.app(id),
  ({ id }, { sessions }, now) =>
    answer("sessionToken", sessions.open({ kind: "app", name: id, user: undefined, isKeyDeliverySimple: false }, now))
)

const forUser =
  (by: (parameter: string) => { readonly id: number } | { readonly username: string }): call.Handler<call.Request> =>
  ({ pod, sessions, step }, { headers, parameters }) =>
    step((now) => {
      if (sessions.find(headers["sessiontoken"])?.kind !== "app") return answers.invalidSession
      const user = pod.user(by(parameters[0] ?? ""))
      if (user === undefined) return answers.notAuthenticated
      const session = { kind: "onBehalfOf", name: user.username, user, isKeyDeliverySimple: false } as const
      return answer("sessionToken", sessions.open(session, now))
    })

export const forUserId = forUser((id) => ({ id: Number(id) }))

export const forUsername = forUser((username) => ({ username }))
