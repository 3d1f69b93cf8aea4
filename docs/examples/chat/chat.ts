/** What the chat does. What it looks like is in `page.ts`. */
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import * as Live from "effect-herald/Live"
import {
  History,
  Members,
  Memberships,
  MessageActions,
  Presence,
  Publish,
  Publisher,
  Subscribe,
  type SubscribeEvent,
  Subscriber,
  Users
} from "effect-herald/pubnub"
import * as Retry from "effect-herald/Retry"
import * as Page from "./page.ts"

/** The whole chat. It ends when its fiber is interrupted. */
export const chat = Effect.gen(function*() {
  yield* Page.on(Page.composer, "submit", () => send(Page.room(), Page.takeText()))
  yield* Page.on(Page.profile, "submit", () => saveProfile(Page.takeProfile()))
  yield* Page.on(Page.log, "click", (event) => react(Page.room(), Page.reactionOf(event)))
  // The browser knows before any timeout that it is back. And a page that is closed leaves its room at once.
  yield* Page.on(window, "online", () => Subscriber.reconnect)
  yield* Page.on(window, "pagehide", () => Subscriber.disconnect)
  yield* Page.on(window, "pageshow", () => Subscriber.reconnect)
  yield* Effect.forkScoped(
    Stream.runForEach(Subscriber.statuses, (status) => Effect.sync(() => Page.showStatus(status)))
  )
  yield* Stream.runDrain(Stream.switchMap(Page.rooms, (channel) => Stream.fromEffect(visit(channel))))
}).pipe(Effect.scoped)

/** Everything that is read of a room, until it is left. All of it shares one long poll. */
const visit = (channel: string) =>
  Effect.gen(function*() {
    Page.enter(channel)
    const typing = yield* FiberMap.make<string>()
    yield* Effect.all([
      Stream.runForEach(
        Subscribe.stream({ channels: [channel], schema: Schema.String }),
        (event) => showEvent(channel, event, typing)
      ),
      follow(Presence.live({ channel }), ({ users }) => Page.showHere([...users.keys()])),
      // The profiles of all users who were ever here: each becomes a member.
      untilOnline(Memberships.set({ channels: [channel] })),
      follow(Members.live({ channel }), Page.showProfiles),
      follow(MessageActions.live({ channel, last: 100 }), Page.showReactions),
      sayThatITypeIn(channel)
    ], { concurrency: "unbounded", discard: true })
  }).pipe(Effect.scoped, showProblem)

// --- reading

const showEvent = Effect.fnUntraced(function*(
  channel: string,
  event: SubscribeEvent.SubscribeEvent<string>,
  typing: FiberMap.FiberMap<string>
) {
  switch (event._tag) {
    case "Connected": {
      // From here on nothing is missed. What came before is in history; new messages wait until it is shown.
      const earlier = yield* untilOnline(History.list({ channel, limit: 50, schema: Schema.String }))
      for (const item of earlier.items) if (item._tag === "StoredMessage") Page.showMessage(item)
      return
    }
    case "Message":
      Page.showMessage(event)
      Page.showTyping(event.publisher ?? "", false)
      return
    case "Signal": {
      const user = event.publisher ?? "somebody"
      Page.showTyping(user, true)
      // A new signal takes the place of the one before.
      yield* FiberMap.run(typing, user, Effect.delay(Effect.sync(() => Page.showTyping(user, false)), "4 seconds"))
      return
    }
    case "Reconnected":
      // It comes before the messages that were missed.
      return Page.showBreak(event.downFor)
    case "Gap":
      return Page.showGap()
  }
})

/** Shows a live value, now and whenever it changes. */
const follow = <A, E, E2, R>(
  live: Effect.Effect<SubscriptionRef.SubscriptionRef<Live.Live<A, E>>, E2, R>,
  show: (value: A) => void
): Effect.Effect<void, E | E2, R | Scope.Scope> =>
  Effect.flatMap(live, (ref) => Stream.runForEach(Live.values(ref), (value) => Effect.sync(() => show(value))))

/** Repeats a request that is safe to repeat, until there is an answer. */
const untilOnline = <A, E extends { readonly isRetryable: boolean }, R>(request: Effect.Effect<A, E, R>) =>
  Effect.retry(request, { schedule: Retry.reconnect, while: ({ isRetryable }) => isRetryable })

// --- writing

/** Publishes in order, and waits where the page is offline. */
const send = (channel: string, text: string) =>
  Publisher.publish({ channel, message: text }).pipe(
    Page.whileWaiting(text),
    Effect.tapError(() => Effect.sync(() => Page.giveTextBack(text))),
    showProblem
  )

const saveProfile = ({ name, status }: Page.Profile) =>
  showProblem(Users.set({ name, status: status === "" ? Option.none() : status }))

/** Adds a reaction, or takes it back. */
const react = (channel: string, reaction: Page.Reaction | undefined) => {
  if (reaction === undefined) return Effect.void
  const { messageTimetoken, mine, value } = reaction
  return mine === undefined
    ? showProblem(MessageActions.add({ channel, messageTimetoken, type: "reaction", value }))
    : showProblem(MessageActions.remove({ channel, messageTimetoken, actionTimetoken: mine }))
}

/** At most one signal in three seconds. A signal that is lost does no harm. */
const sayThatITypeIn = (channel: string) =>
  Stream.fromEventListener(Page.text, "input").pipe(
    Stream.throttle({ cost: () => 1, units: 1, duration: "3 seconds", strategy: "enforce" }),
    Stream.runForEach(() => Effect.ignore(Publish.signal({ channel, message: "typing" })))
  )

/** Every error says what happened, and the first thing to try. */
const showProblem = <A, E extends { readonly message: string }, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<void, never, R> =>
  Effect.matchEffect(effect, {
    onFailure: ({ message }) => Effect.sync(() => Page.showProblem(message)),
    onSuccess: () => Effect.void
  })
