/**
 * What the service keeps of a user, and of a channel: one and the same set of requests, with other fields.
 */
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Retry from "../../../Retry.ts"
import * as AppContext from "../../AppContext.ts"
import type * as PubNubError from "../../PubNubError.ts"
import type { CustomCodec } from "./custom.ts"
import * as Lists from "./lists.ts"
import * as Objects from "./objects.ts"
import * as Setting from "./setting.ts"
import * as Update from "./update.ts"

/** What comes when nothing is asked for in particular. */
export const usual = ["status", "type"] as const

type Wire = AppContext.Versioned & AppContext.Included & { readonly id: string }

/** What makes users other than channels. `W` is what the service sends, `B` what a reader gets beside the parts. */
export interface Kind<W extends Wire, B> {
  readonly kind: "user" | "channel"
  /** How its operations end: `getUser`. */
  readonly name: "User" | "Channel"
  readonly collection: "uuids" | "channels"
  readonly schema: Schema.ConstraintDecoder<W>
  readonly build: <C>(wire: W, custom: Option.Option<C>) => B & AppContext.Included<C>
  /** The texts that can be set, and the most characters of each. */
  readonly longest: { readonly [field: string]: number }
}

interface Including {
  readonly include?: ReadonlyArray<string> | undefined
}

/** What is set, beside the texts of its kind. */
interface Fields<C> {
  readonly custom?: AppContext.Settable<C> | undefined
}

// How often an object is read again to find out whether a write whose answer was lost was carried out.
const settling = Retry.backoff({ floor: "100 millis", cap: "2 seconds" }).pipe(Schedule.upTo({ times: 5 }))

export const make = <W extends Wire, B extends { readonly id: string }, C, E, RD, RE>(
  kind: Kind<W, B>,
  codec: CustomCodec<C, E, RD, RE>
) => {
  const known = { parts: Objects.parts, keys: Lists.sortKeys }
  const listing = `list${kind.name}s`
  const One = Schema.Struct({ data: kind.schema })
  const Many = Lists.PageOf(kind.schema)
  const owner = (operation: string, id: string) => ({ operation, kind: kind.kind, id })
  const pathOf = (id: string) => [kind.collection, id]
  const typed = (operation: string, wire: W) =>
    Effect.map(codec.decode(wire.custom, owner(operation, wire.id)), (custom) => kind.build(wire, custom))

  const read = (operation: string, id: string, include: ReadonlyArray<string>) =>
    Objects.call({
      operation,
      method: "GET",
      path: pathOf(id),
      query: Lists.includeQuery(include),
      issues: [...Objects.idIssues("id", id), ...Lists.includeIssues(include, Objects.parts)],
      answer: One
    }).pipe(
      Effect.map(({ data }) => data),
      Effect.mapError((error) =>
        Objects.isStatus(error, 404) ? new AppContext.ObjectNotFound(owner(operation, id)) : error
      )
    )

  const write = (
    operation: string,
    id: string,
    { body, issues }: Setting.Encoded,
    include: ReadonlyArray<string>,
    ifMatch: AppContext.Etag | undefined
  ) =>
    Objects.call({
      operation,
      method: "PATCH",
      path: pathOf(id),
      query: Lists.includeQuery(include),
      body,
      ifMatch,
      issues: [
        ...Objects.idIssues("id", id),
        ...Lists.includeIssues(include, Objects.parts),
        ...Objects.etagIssues(ifMatch),
        ...issues
      ],
      answer: One
    }).pipe(
      Effect.map(({ data }) => data),
      Effect.mapError((error) =>
        // What is gone is changed, too.
        ifMatch !== undefined && (Objects.isStatus(error, 412) || Objects.isStatus(error, 404))
          ? new AppContext.ObjectChanged({ ...owner(operation, id), etag: ifMatch })
          : error
      )
    )

  const get = (id: string, { include = usual }: Including) => {
    const operation = `get${kind.name}`
    return Effect.flatMap(read(operation, id, include), (wire) => typed(operation, wire))
  }

  const set = (
    id: string,
    fields: Fields<C> & Including & { readonly ifMatchesEtag?: AppContext.Etag | undefined }
  ) => {
    const operation = `set${kind.name}`
    const { ifMatchesEtag, include = usual } = fields
    return Setting.encode(codec, fields, kind.longest).pipe(
      Effect.flatMap((encoded) => write(operation, id, encoded, include, ifMatchesEtag)),
      Effect.flatMap((wire) => typed(operation, wire))
    )
  }

  /** The object as it is after a write whose answer was lost. */
  const settled = (operation: string, id: string) =>
    Effect.retry(read(operation, id, []), { schedule: settling, while: ({ isRetryable }) => isRetryable })

  const update = (
    id: string,
    { custom: how, retry = Retry.contention }: AppContext.UpdateOptions,
    f: (object: B & AppContext.Included<C>) => Fields<C>
  ) => {
    const operation = `update${kind.name}`
    const attempt = Effect.gen(function*() {
      const before = yield* read(operation, id, Objects.parts)
      const current = yield* typed(operation, before)
      const fields = f(current)
      if (Update.isNothing(fields)) return current
      const { body, issues } = yield* Setting.encode(codec, fields, kind.longest)
      const encoded = { body: Update.merge(body, before, how), issues }
      // The etag does not say who wrote.
      const settle = Update.settle(owner(operation, id), before, settled(operation, id), () => false)
      const after = yield* write(operation, id, encoded, Objects.parts, before.etag).pipe(
        Effect.catchTag("PubNubError", settle)
      )
      return yield* typed(operation, after)
    })
    return attempt.pipe(
      // Only a change by others is for the schedule to see.
      Effect.matchEffect({
        onSuccess: (object) => Effect.succeed(Result.succeed(object)),
        onFailure: (error) =>
          error instanceof AppContext.ObjectChanged ? Effect.fail(error) : Effect.succeed(Result.fail(error))
      }),
      Effect.retry(retry),
      Effect.flatMap(Effect.fromResult)
    )
  }

  const remove = (id: string): Effect.Effect<void, PubNubError.PubNubError, Objects.Needs> =>
    Effect.asVoid(Objects.call({
      operation: `remove${kind.name}`,
      method: "DELETE",
      path: pathOf(id),
      issues: Objects.idIssues("id", id),
      answer: Objects.Nothing
    }))

  const page = (options: Lists.Asked) => {
    const asked = { ...options, include: options.include ?? usual }
    return Objects.call({
      operation: listing,
      method: "GET",
      path: [kind.collection],
      query: Lists.pageQuery(asked),
      issues: Lists.pageIssues(asked, known),
      answer: Many
    }).pipe(Effect.map((answer) => Lists.toPage(answer, asked)))
  }

  const list = (options: Lists.Asked) =>
    Effect.flatMap(page(options), (page) => Lists.mapItems(page, (wire) => typed(listing, wire)))

  const stream = (options: Lists.Asked) =>
    Lists.streamOf((next) => page({ ...options, next }), ({ id }) => id).pipe(
      Stream.mapEffect((wire) => typed(listing, wire))
    )

  return { get, set, update, remove, list, stream }
}
