/** The requests about users and channels. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Codec from "../../../internal/codec.ts"
import * as Input from "../../../internal/input.ts"
import * as Json from "../../../internal/json.ts"
import * as Retry from "../../../Retry.ts"
import * as AppContext from "../../AppContext.ts"
import type * as Objects from "../../Objects.ts"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import type { PubNubError } from "../../PubNubError.ts"
import * as Endpoint from "../wire/endpoint.ts"
import { path, subscribeKey } from "../wire/path.ts"
import * as Custom from "./custom.ts"
import * as Fields from "./fields.ts"
import { type Needs, reading } from "./options.ts"
import * as Pages from "./pages.ts"
import * as Update from "./update.ts"

type Wire = AppContext.Versioned & AppContext.Included & { readonly id: string }

/** What distinguishes users from channels. `W` is an object on the wire. */
export interface Kind<W extends Wire, K extends Objects.Kind> {
  readonly kind: "user" | "channel"
  readonly module: "Users" | "Channels"
  readonly collection: "uuids" | "channels"
  readonly schema: Schema.ConstraintDecoder<W>
  readonly build: <C>(wire: W, custom: { readonly custom?: C }) => Objects.Item<K, AppContext.Part, C>
  /** The texts that can be written, and the most characters of each. */
  readonly longest: { readonly [field: string]: number }
  readonly idOf: (which: K["which"], config: PubNubConfig["Service"]) => string
}

type Parts = ReadonlyArray<AppContext.Part>

/** The default of `include`. */
const defaultParts = ["status", "type"] as const satisfies Parts

/** How often to read an object to find out whether a write without an answer was carried out. */
const settling = Retry.backoff({ base: "100 millis", cap: "2 seconds", maxAttempts: 6 })

const decodeNothing = Codec.decodeResult(Schema.Struct({ status: Schema.Literal(200) }))

export const make = <
  W extends Wire,
  K extends Objects.Kind,
  C,
  E extends AppContext.CustomMismatch,
  RD,
  RE
>(
  kind: Kind<W, K>,
  codec: Custom.CustomCodec<C, E, RD, RE>
) => {
  type Whole = Objects.Item<K, AppContext.Part, C>
  const known = { parts: Fields.parts, keys: Pages.sortKeys }
  const decodeOne = Codec.decodeResult(Schema.Struct({ data: kind.schema }))
  const decodePage = Pages.pageOf(kind.schema)
  const owner = (operation: string, id: string) => ({ operation, kind: kind.kind, id })
  const pathOf = (id: string) => path`/v2/objects/${subscribeKey}/${kind.collection}/${id}`
  const decode = (id: string) => (json: Schema.Json) =>
    Result.flatMap(
      decodeOne(json),
      ({ data }) => data.id === id ? Result.succeed(data) : Result.fail(`it is about ${JSON.stringify(data.id)}`)
    )

  const typed = (operation: string, wire: W): Effect.Effect<Whole, E, RD> =>
    Effect.mapEager(
      Custom.decodePart(codec, wire.custom, owner(operation, wire.id)),
      (custom) => kind.build(wire, custom)
    )

  const read = (operation: string, id: string, include: Parts) =>
    Endpoint.run(operation, () => ({
      path: pathOf(id),
      query: { include: Pages.includeQuery(include) },
      issues: [...Fields.idIssues("id", id), ...Pages.includeIssues(include, Fields.parts)],
      // Custom numbers stay numbers.
      parse: Json.parse,
      decode: decode(id)
    })).pipe(
      Effect.mapError((error) => isStatus(error, 404) ? new AppContext.ObjectNotFound(owner(operation, id)) : error)
    )

  const write = (
    operation: string,
    id: string,
    { body, issues }: Fields.Encoded,
    include: Parts,
    ifMatch: AppContext.Etag | undefined
  ) =>
    Endpoint.run(operation, () => ({
      method: "PATCH",
      path: pathOf(id),
      query: { include: Pages.includeQuery(include) },
      body: JSON.stringify(body),
      ifMatch,
      issues: [
        ...Fields.idIssues("id", id),
        ...Pages.includeIssues(include, Fields.parts),
        ...Input.issues({ ifMatchesEtag: Input.optional(Input.header)(ifMatch) }),
        ...issues
      ],
      parse: Json.parse,
      decode: decode(id)
    })).pipe(
      Effect.mapError((error) =>
        // An object that was removed counts as changed.
        ifMatch !== undefined && (isStatus(error, 412) || isStatus(error, 404))
          ? new AppContext.ObjectChanged({ ...owner(operation, id), etag: ifMatch })
          : error
      )
    )

  /** Adds the id to the options of a call. */
  const withId = <O extends K["which"]>(options: O) => (config: PubNubConfig["Service"]) => ({
    ...options,
    id: kind.idOf(options, config)
  })

  const get = (options: Objects.GetOptions<K, AppContext.Part>) => {
    const operation = `${kind.module}.get`
    return reading(
      operation,
      withId(options),
      ({ id, include = defaultParts }) => Effect.flatMap(read(operation, id, include), (wire) => typed(operation, wire))
    )
  }

  function set<T extends AppContext.Etag | undefined>(
    options: Objects.SetOptions<K, AppContext.Part, C, T>
  ): Effect.Effect<
    Whole,
    PubNubError | (T extends undefined ? never : AppContext.ObjectChanged | AppContext.UpdateOutcomeUnknown) | E,
    Needs | RD | RE
  >
  function set(options: Objects.SetOptions<K, AppContext.Part, C>) {
    const operation = `${kind.module}.set`
    return reading(operation, withId(options), (fields) => {
      const { id, ifMatchesEtag, include = defaultParts } = fields
      return Fields.encode(codec, fields, kind.longest).pipe(
        Effect.flatMap((encoded) => write(operation, id, encoded, include, ifMatchesEtag)),
        // To a second attempt, a write that was carried out would look like a concurrent change.
        Effect.mapError((error) =>
          ifMatchesEtag === undefined ? error : Update.unlessKnown(owner(operation, id), error)
        ),
        Effect.flatMap((wire) => typed(operation, wire))
      )
    })
  }

  /** Reads the object after a write without an answer. */
  const settled = (operation: string, id: string) =>
    Effect.retry(read(operation, id, []), { schedule: settling, while: ({ isRetryable }) => isRetryable })

  const update = (
    options: Objects.UpdateOptions<K>,
    f: (object: Whole) => Objects.Fields<K, C>
  ) => {
    const operation = `${kind.module}.update`
    return reading(
      operation,
      withId(options),
      ({ custom: how, id, retry = Retry.contention }) => {
        const attempt = Effect.gen(function*() {
          const before = yield* read(operation, id, Fields.parts)
          const current = yield* typed(operation, before)
          const fields = f(current)
          if (Update.isNothing(fields)) return current
          const { body, issues } = yield* Endpoint.reading(
            operation,
            () => Fields.encode(codec, fields, kind.longest)
          )
          const encoded = { body: Update.merge(body, before, how), issues }
          // The etag does not show who wrote.
          const settle = Update.settle(owner(operation, id), before, settled(operation, id), () => false)
          const after = yield* write(operation, id, encoded, Fields.parts, before.etag).pipe(
            Effect.catchTag("PubNubError", settle)
          )
          return yield* typed(operation, after)
        })
        return attempt.pipe(
          // Only concurrent changes are retried.
          Effect.matchEffect({
            onSuccess: (object) => Effect.succeed(Result.succeed(object)),
            onFailure: (error) =>
              error instanceof AppContext.ObjectChanged ? Effect.fail(error) : Effect.succeed(Result.fail(error))
          }),
          Effect.retry(Retry.toSchedule(retry)),
          Effect.flatMap(Effect.fromResult)
        )
      },
      (options) => Update.issuesOf(options, f)
    )
  }

  const remove = (options: K["which"]): Effect.Effect<void, PubNubError, Needs> => {
    const operation = `${kind.module}.remove`
    return reading(operation, withId(options), ({ id }) =>
      Endpoint.run(operation, () => ({
        method: "DELETE",
        path: pathOf(id),
        issues: Fields.idIssues("id", id),
        decode: (json) => Result.map(decodeNothing(json), () => undefined)
      })))
  }

  const page = (operation: string, { include = defaultParts, ...options }: Pages.Asked) => {
    const asked = { ...options, include }
    return Endpoint.run(operation, () => ({
      path: path`/v2/objects/${subscribeKey}/${kind.collection}`,
      query: Pages.pageQuery(asked),
      issues: Pages.pageIssues(asked, known),
      longInput: Pages.longInput,
      parse: Json.parse,
      decode: (json) => decodePage(json, asked)
    }))
  }

  const item = (operation: string) => Pages.typed((wire: W) => typed(operation, wire))

  const list = (options: Objects.ListOptions<K, AppContext.Part> = {}) => {
    const operation = `${kind.module}.list`
    return reading(
      operation,
      () => options,
      (asked) => Effect.flatMap(page(operation, asked), (page) => Pages.mapItems(page, item(operation)))
    )
  }

  const stream = (options: Objects.StreamOptions<K, AppContext.Part> = {}) => {
    const operation = `${kind.module}.stream`
    return Stream.unwrap(reading(operation, () => options, (asked) =>
      Effect.succeed(
        Pages.streamOf((at) => page(operation, { ...asked, ...at }), ({ id }: W) => id).pipe(
          Stream.mapEffect(item(operation))
        )
      )))
  }

  return { get, set, update, remove, list, stream }
}

/** Whether a request failed because the service answered with this status. */
const isStatus = (error: PubNubError, status: number): boolean =>
  error.reason._tag === "BadRequest" && error.reason.status === status
