/**
 * What the service keeps of a user, and of a channel: one and the same set of requests, with other fields.
 */
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Codec from "../../../internal/codec.ts"
import * as Input from "../../../internal/input.ts"
import * as Json from "../../../internal/json.ts"
import * as Retry from "../../../Retry.ts"
import * as AppContext from "../../AppContext.ts"
import type * as PubNubError from "../../PubNubError.ts"
import * as Endpoint from "../wire/endpoint.ts"
import { path, subscribeKey } from "../wire/path.ts"
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
const settling = Retry.backoff({ base: "100 millis", cap: "2 seconds", maxAttempts: 6 })

type Given<A> = Objects.Given<A>

const decodeNothing = Codec.decodeResult(Objects.Nothing)

export const make = <W extends Wire, B extends { readonly id: string }, C, E extends AppContext.CustomMismatch, RD, RE>(
  kind: Kind<W, B>,
  codec: CustomCodec<C, E, RD, RE>
) => {
  const known = { parts: Objects.parts, keys: Lists.sortKeys }
  const decodeOne = Codec.decodeResult(Schema.Struct({ data: kind.schema }))
  const decodePage = Lists.pageOf(kind.schema)
  const owner = (operation: string, id: string) => ({ operation, kind: kind.kind, id })
  const pathOf = (id: string) => path`/v2/objects/${subscribeKey}/${kind.collection}/${id}`
  const decode = (id: string) => (json: Schema.Json) =>
    Result.flatMap(
      decodeOne(json),
      ({ data }) => data.id === id ? Result.succeed(data) : Result.fail(`it is about ${JSON.stringify(data.id)}`)
    )

  const typed = (operation: string, wire: W) =>
    Effect.map(codec.decode(wire.custom, owner(operation, wire.id)), (custom) => kind.build(wire, custom))

  const read = (operation: string, id: string, include: ReadonlyArray<string>) =>
    Endpoint.run(operation, () => ({
      path: pathOf(id),
      query: { include: Lists.includeQuery(include) },
      issues: [...Objects.idIssues("id", id), ...Lists.includeIssues(include, Objects.parts)],
      // Custom numbers stay numbers.
      parse: Json.parse,
      decode: decode(id)
    })).pipe(
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
    Endpoint.run(operation, () => ({
      method: "PATCH",
      path: pathOf(id),
      query: { include: Lists.includeQuery(include) },
      body: JSON.stringify(body),
      ifMatch,
      issues: [
        ...Objects.idIssues("id", id),
        ...Lists.includeIssues(include, Objects.parts),
        ...Input.issues({ ifMatchesEtag: Input.optional(Input.header)(ifMatch) }),
        ...issues
      ],
      parse: Json.parse,
      decode: decode(id)
    })).pipe(
      Effect.mapError((error) =>
        // What is gone is changed, too.
        ifMatch !== undefined && (Objects.isStatus(error, 412) || Objects.isStatus(error, 404))
          ? new AppContext.ObjectChanged({ ...owner(operation, id), etag: ifMatch })
          : error
      )
    )

  const get = (given: Given<{ readonly id: string } & Including>) => {
    const operation = `get${kind.name}`
    return Objects.reading(
      operation,
      given,
      ({ id, include = usual }) => Effect.flatMap(read(operation, id, include), (wire) => typed(operation, wire))
    )
  }

  const set = (
    given: Given<
      Fields<C> & Including & { readonly id: string; readonly ifMatchesEtag?: AppContext.Etag | undefined }
    >
  ) => {
    const operation = `set${kind.name}`
    return Objects.reading(operation, given, (fields) => {
      const { id, ifMatchesEtag, include = usual } = fields
      return Setting.encode(codec, fields, kind.longest).pipe(
        Effect.flatMap((encoded) => write(operation, id, encoded, include, ifMatchesEtag)),
        // Made once more, a write on condition that was carried out would seem to be forestalled by somebody else.
        Effect.mapError((error) =>
          ifMatchesEtag === undefined ? error : Update.unlessKnown(owner(operation, id), error)
        ),
        Effect.flatMap((wire) => typed(operation, wire))
      )
    })
  }

  /** The object as it is after a write whose answer was lost. */
  const settled = (operation: string, id: string) =>
    Effect.retry(read(operation, id, []), { schedule: settling, while: ({ isRetryable }) => isRetryable })

  const update = (
    given: Given<{ readonly id: string } & AppContext.UpdateOptions>,
    f: (object: B & AppContext.Included<C>) => Fields<C>
  ) => {
    const operation = `update${kind.name}`
    return Objects.reading(
      operation,
      given,
      (options) => updateOne(operation, options, f),
      (options) => Update.issuesOf(options, f)
    )
  }

  const updateOne = (
    operation: string,
    { custom: how, id, retry = Retry.contention }: { readonly id: string } & AppContext.UpdateOptions,
    f: (object: B & AppContext.Included<C>) => Fields<C>
  ) => {
    const attempt = Effect.gen(function*() {
      const before = yield* read(operation, id, Objects.parts)
      const current = yield* typed(operation, before)
      const fields = f(current)
      if (Update.isNothing(fields)) return current
      const { body, issues } = yield* Endpoint.reading(
        operation,
        () => Setting.encode(codec, fields, kind.longest)
      )
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
      Effect.retry(Retry.toSchedule(retry)),
      Effect.flatMap(Effect.fromResult)
    )
  }

  const remove = (
    given: Given<{ readonly id: string }>
  ): Effect.Effect<void, PubNubError.PubNubError, Objects.Needs> => {
    const operation = `remove${kind.name}`
    return Objects.reading(operation, given, ({ id }) =>
      Endpoint.run(operation, () => ({
        method: "DELETE",
        path: pathOf(id),
        issues: Objects.idIssues("id", id),
        decode: (json) => Result.map(decodeNothing(json), () => undefined)
      })))
  }

  const listing = `list${kind.name}s`

  const page = ({ include = usual, ...options }: Lists.Asked) => {
    const asked = { ...options, include }
    return Endpoint.run(listing, () => ({
      path: path`/v2/objects/${subscribeKey}/${kind.collection}`,
      query: Lists.pageQuery(asked),
      issues: Lists.pageIssues(asked, known),
      longInput: Lists.longInput,
      parse: Json.parse,
      decode: (json) => decodePage(json, asked)
    }))
  }

  const item = Lists.typed((wire: W) => typed(listing, wire))

  const list = (given: Given<Lists.Asked>) =>
    Objects.reading(listing, given, (asked) => Effect.flatMap(page(asked), (page) => Lists.mapItems(page, item)))

  const stream = (given: Given<Lists.Asked>) =>
    Stream.unwrap(Objects.reading(listing, given, (asked) =>
      Effect.succeed(
        Lists.streamOf((at) => page({ ...asked, ...at }), ({ id }: W) => id).pipe(Stream.mapEffect(item))
      )))

  return { get, set, update, remove, list, stream }
}
