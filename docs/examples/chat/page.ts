/** What the chat looks like: the elements of `index.html`, what they say, and what the user does with them. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Predicate from "effect/Predicate"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type Members, type MessageActions, Publisher, type SubscribeStatus, Timetoken } from "effect-herald/pubnub"

// --- elements

const find = <E extends HTMLElement>(id: string, type: new() => E): E => {
  const element = document.getElementById(id)
  if (element instanceof type) return element
  throw new Error(`index.html has no ${type.name} with the id ${id}.`)
}

const make = <Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string>,
  ...children: ReadonlyArray<Node | string>
): HTMLElementTagNameMap[Tag] => {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

/** A line that is there only while it has a text. */
const say = (line: HTMLElement, text: string) => {
  line.textContent = text
  line.hidden = text === ""
}

export const composer = find("composer", HTMLFormElement)
export const text = find("text", HTMLInputElement)
export const profile = find("profile", HTMLFormElement)
const nameField = find("name", HTMLInputElement)
const statusField = find("status", HTMLInputElement)
export const log = find("log", HTMLOListElement)
const connection = find("connection", HTMLParagraphElement)
const problem = find("problem", HTMLParagraphElement)
const here = find("here", HTMLUListElement)
const me = find("me", HTMLButtonElement)
const typing = find("typing", HTMLParagraphElement)
const waiting = find("waiting", HTMLUListElement)

// --- where and who

/** The user of the address, `?user=ada`. */
export const userId = new URLSearchParams(location.search).get("user")

find("enter", HTMLFormElement).hidden = userId !== null
find("chat", HTMLDivElement).hidden = userId === null

/** The room of the address, `#kitchen`. */
export const room = (): string => location.hash.slice(1) || "lobby"

/** The room, now and whenever the user goes to another. */
export const rooms: Stream.Stream<string> = Stream.fromEventListener(window, "hashchange").pipe(
  Stream.merge(Stream.succeed(undefined)),
  Stream.map(room)
)

/** Shows an empty room. */
export const enter = (channel: string): void => {
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#${channel}`) link.setAttribute("aria-current", "page")
    else link.removeAttribute("aria-current")
  }
  document.title = `${channel} · Chat`
  shown.clear()
  typists.clear()
  reactions = new Map()
  log.replaceChildren()
  here.replaceChildren()
  say(typing, "")
  say(problem, "")
}

// --- events

/** Runs an effect for each event, as long as the scope is open. */
export const on = Effect.fnUntraced(function*<R>(
  target: EventTarget,
  type: string,
  handle: (event: Event) => Effect.Effect<unknown, never, R>
) {
  const run = yield* FiberSet.makeRuntime<R>()
  const listener = (event: Event) => {
    if (type === "submit") event.preventDefault()
    run(handle(event))
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => target.addEventListener(type, listener)),
    () => Effect.sync(() => target.removeEventListener(type, listener))
  )
})

/** What the user wrote. The field is empty then. */
export const takeText = (): string => {
  const written = text.value
  text.value = ""
  return written
}

/** The user can send a text again that was refused. */
export const giveTextBack = (written: string): void => {
  text.value ||= written
}

/** What other users see of a user. */
export interface Profile {
  readonly name: string
  readonly status: string
}

export const takeProfile = (): Profile => {
  profile.hidePopover()
  return { name: nameField.value, status: statusField.value }
}

// --- profiles

let profiles: ReadonlyMap<string, Members.Member<Members.Part>> = new Map()

const nameOf = (userId: string): string => profiles.get(userId)?.user?.name ?? userId

/** The name of a user, which changes with the profile. */
const nameTag = (userId: string) => make("b", { "data-user": userId }, nameOf(userId))

export const showProfiles = (members: typeof profiles): void => {
  profiles = members
  for (const name of document.querySelectorAll<HTMLElement>("[data-user]")) {
    name.textContent = nameOf(name.dataset["user"] ?? "")
  }
  showHere(present)
  showTypists()
  me.textContent = nameOf(userId ?? "")
  if (profile.matches(":popover-open")) return
  const own = members.get(userId ?? "")?.user
  nameField.value = own?.name ?? ""
  statusField.value = own?.status ?? ""
}

// --- presence and typing

let present: ReadonlyArray<string> = []

export const showHere = (users: ReadonlyArray<string>): void => {
  present = users
  here.replaceChildren(...users.map((user) => {
    const status = profiles.get(user)?.user?.status
    return make("li", {}, nameTag(user), ...status === undefined ? [] : [make("small", {}, status)])
  }))
}

const typists = new Set<string>()

const showTypists = () => {
  const names = Array.from(typists, nameOf)
  say(typing, names.length === 0 ? "" : `${names.join(" and ")} ${names.length === 1 ? "is" : "are"} typing …`)
}

export const showTyping = (user: string, isTyping: boolean): void => {
  if (isTyping && user !== userId) typists.add(user)
  else typists.delete(user)
  showTypists()
}

// --- messages

const time = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" })

/** The ids of messages in the log: that of their publisher if they have one. */
const shown = new Set<unknown>()

/** Shows a message once, at the end of the log. History and the stream overlap, and history has what was sent twice. */
export const showMessage = (message: {
  readonly timetoken: Timetoken.Timetoken
  readonly publisher?: string
  readonly payload: string
  readonly meta?: Schema.Json
}): void => {
  const { meta, payload, publisher = "?", timetoken } = message
  const id = Predicate.hasProperty(meta, Publisher.messageIdKey) ? meta[Publisher.messageIdKey] : timetoken
  if (shown.has(id)) return
  shown.add(id)
  const at = DateTime.toDateUtc(Timetoken.toDateTime(timetoken))
  log.append(make(
    "li",
    { id: timetoken, class: publisher === userId ? "own" : "" },
    nameTag(publisher),
    make("time", { datetime: at.toISOString() }, time.format(at)),
    make("p", {}, payload),
    make(
      "span",
      { role: "group", "aria-label": "Reactions" },
      ...emojis.map((emoji) => make("button", { value: emoji, tabindex: "-1" }))
    )
  ))
  showReactionsOf(timetoken)
}

/** Says in the log how long nothing was heard. The messages that were missed follow. */
export const showBreak = (length: Duration.Duration): void =>
  note(`There was no connection for ${seconds(length)}. What came meanwhile follows.`)

export const showGap = (): void => note("Some messages of this time are lost.")

const note = (text: string) => log.append(make("li", { class: "note" }, text))

/** Shows a text as long as it is on its way. */
export const whileWaiting = (text: string) => <A, E, R>(sending: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const item = make("li", {}, text)
      waiting.append(item)
      return item
    }),
    () => sending,
    (item) => Effect.sync(() => item.remove())
  )

// --- reactions

const emojis = ["👍", "❤️", "😂", "🎉"]

/** A reaction that the user adds, or takes back. */
export interface Reaction {
  readonly messageTimetoken: string
  readonly value: string
  /** The user's own action, if there is one. */
  readonly mine: Timetoken.Timetoken | undefined
}

let reactions: ReadonlyMap<string, MessageActions.Reactions> = new Map()

const reactionsOf = (timetoken: string, emoji: string) =>
  reactions.get(timetoken)?.find(({ type, value }) => type === "reaction" && value === emoji)

/** The reaction of the button that was clicked. */
export const reactionOf = ({ target }: Event): Reaction | undefined => {
  const messageTimetoken = target instanceof HTMLButtonElement ? target.closest("li")?.id : undefined
  if (!(target instanceof HTMLButtonElement) || messageTimetoken === undefined) return undefined
  return { messageTimetoken, value: target.value, mine: reactionsOf(messageTimetoken, target.value)?.mine }
}

export const showReactions = (byMessage: typeof reactions): void => {
  const changed = [...byMessage].filter(([timetoken, list]) => reactions.get(timetoken) !== list)
  reactions = byMessage
  for (const [timetoken] of changed) showReactionsOf(timetoken)
}

const showReactionsOf = (timetoken: string) => {
  for (const button of document.getElementById(timetoken)?.querySelectorAll("button") ?? []) {
    const { count = 0, mine, users } = reactionsOf(timetoken, button.value) ?? {}
    button.textContent = count === 0 ? button.value : `${button.value} ${count}`
    button.ariaPressed = String(mine !== undefined)
    button.title = Array.from(users?.keys() ?? [], nameOf).join(", ")
    button.classList.toggle("used", count > 0)
  }
}

// Hundreds of messages are one stop of the tab key. The arrow keys go on from there.
log.addEventListener("keydown", (event) => {
  const step = { ArrowUp: -emojis.length, ArrowDown: emojis.length, ArrowLeft: -1, ArrowRight: 1 }[event.key]
  if (step === undefined) return
  event.preventDefault()
  const buttons = [...log.querySelectorAll("button")]
  const at = buttons.findIndex((button) => button === document.activeElement)
  buttons[at < 0 ? buttons.length - emojis.length : at + step]?.focus()
})

// --- the connection

const seconds = (length: Duration.Duration) => `${Math.ceil(Duration.toSeconds(length))} seconds`

export const showStatus = (status: SubscribeStatus.Status): void => {
  switch (status._tag) {
    case "Interrupted":
      return say(
        connection,
        `There is no connection. The next attempt is in ${seconds(status.retryIn)}.`
      )
    case "Connected":
    case "Reconnected":
      return say(connection, "")
    default:
      return
  }
}

export const showProblem = (message: string): void => say(problem, message)
