/** The handler of each operation, and the tokens that it needs. */
import * as Effect from "effect/Effect"
import { handlers as administration } from "./administration.ts"
import * as answers from "./answers.ts"
import type { Handler, Request } from "./call.ts"
import { handlers as datafeed } from "./datafeed.ts"
import * as logins from "./logins.ts"
import { handlers as messages } from "./messages.ts"
import type { Name } from "./operations.ts"
import type { User } from "./pod.ts"
import type { Service } from "./service.ts"

/** Whether an Agent works without a token of the key manager. */
const isNewEnough = (version: string): boolean => {
  const [, major, minor] = /^Agent-(\d+)\.(\d+)\./.exec(version) ?? []
  return Number(major) > 24 || Number(major) === 24 && Number(minor) >= 12
}

/** Whose session token it is. */
const sessionOf = ({ sessions }: Service, { headers }: Request) => {
  const session = sessions.find(headers["sessiontoken"])
  return session?.kind === "session" || session?.kind === "onBehalfOf" ? session : undefined
}

const atPod = (service: Service, request: Request): User | undefined => sessionOf(service, request)?.user

/** A bot needs the key manager's token too, unless the Agent has simplified key delivery. */
const atAgent = (service: Service, request: Request): User | undefined => {
  const session = sessionOf(service, request)
  const isSimple = session?.kind === "onBehalfOf" ||
    session?.isKeyDeliverySimple === true && isNewEnough(service.settings.agentVersion)
  if (isSimple) return session?.user
  const keyManager = service.sessions.find(request.headers["keymanagertoken"])
  return keyManager?.kind === "keyManager" && keyManager.user === session?.user ? session?.user : undefined
}

const guarded = (callerOf: typeof atPod) => (handler: Handler): Handler<Request> => (service, request) => {
  const caller = callerOf(service, request)
  return caller === undefined ? Effect.succeed(answers.invalidSession) : handler(service, { ...request, caller })
}

const pod = guarded(atPod)
const agent = guarded(atAgent)

export const handlers: { readonly [K in Name]: Handler<Request> } = {
  podLogin: logins.atPod,
  keyManagerLogin: logins.atKeyManager,
  appLogin: logins.asApp,
  userIdLogin: logins.forUserId,
  usernameLogin: logins.forUsername,
  agentInfo: messages.info,
  send: agent(messages.send),
  update: agent(messages.update),
  blast: agent(messages.blast),
  import: agent(messages.importAll),
  get: agent(messages.get),
  list: agent(messages.list),
  search: agent(messages.search),
  attachment: agent(messages.attachment),
  attachments: pod(administration.attachments),
  allowedTypes: pod(administration.allowedTypes),
  suppress: pod(administration.suppress),
  status: pod(administration.status),
  receipts: pod(administration.receipts),
  relationships: pod(administration.relationships),
  sessionInfo: pod(administration.sessionInfo),
  listFeeds: agent(datafeed.list),
  createFeed: agent(datafeed.create),
  readFeed: agent(datafeed.read),
  deleteFeed: agent(datafeed.remove)
}
