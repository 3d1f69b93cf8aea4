/**
 * What the service keeps of a user, and of a channel: one and the same set of requests, with other fields.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Retry from "../../Retry.ts"
import * as AppContext from "../AppContext.ts"
import type * as PubNubError from "../PubNubError.ts"
import type { CustomCodec } from "./custom.ts"
import * as Objects from "./objects.ts"
import * as Outcome from "./outcome.ts"

/** The parts that can be asked for. */
export const parts = ["custom", "status", "type"] as const

export type Part = typeof parts[number]

/** What comes when nothing is asked for in particular. */
export const usual = ["status", "type"] as const

/** What lists can be sorted by. */
export const sortKeys = ["id", "name", "updated", "status", "type"] as const

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

interface Fields<C> {
  readonly custom?: AppContext.Settable<C> | undefined
}

// How often an object is read again to find out whether a write whose answer was lost was carried out.
const settling = Retry.backoff({ floor: "100 millis", cap: "2 seconds" }).pipe(Schedule.upTo({ times: 5 }))

export const make = <W extends Wire, B extends { readonly id: string }, C, E, RD, RE>(
  kind: Kind<W, B>,
  codec: CustomCodec<C, E, RD, RE>
) => {
  const known = { parts, keys: sortKeys }
  const One = Schema.Struct({ data: kind.schema })
  const Many = Objects.PageOf(kind.schema)
  const owner = (operation: string, id: string) => ({ operation, kind: kind.kind, id })
  const pathOf = (id: string) => [kind.collection, id]
  const typed = (operation: string, wire: W) =>
    Effect.map(codec.decode(wire.custom, owner(operation, wire.id)), (custom) => kind.build(wire, custom))

  const read = (operation: string, id: string, include: ReadonlyArray<string>) =>
    Objects.call({
      operation,
      method: "GET",
      path: pathOf(id),
      query: Objects.includeQuery(include),
      issues: [...Objects.idIssues("id", id), ...Objects.includeIssues(include, parts)],
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
    fields: object,
    custom: AppContext.Custom | null | undefined,
    include: ReadonlyArray<string>,
    ifMatch: AppContext.Etag | undefined,
    issues: ReadonlyArray<PubNubError.Detail>
  ) => {
    const texts = Objects.texts(Object.fromEntries(Object.entries(fields)), kind.longest)
    return Objects.call({
      operation,
      method: "PATCH",
      path: pathOf(id),
      query: Objects.includeQuery(include),
      body: { ...texts.body, ...custom === undefined ? {} : { custom: custom === null ? null : { ...custom } } },
      ifMatch,
      issues: [
        ...Objects.idIssues("id", id),
        ...Objects.includeIssues(include, parts),
        ...Objects.etagIssues(ifMatch),
        ...texts.issues,
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
  }

  /** The custom data to send, and what is wrong with it. */
  const encode = ({ custom }: Fields<C>): Effect.Effect<
    { readonly custom: AppContext.Custom | null | undefined; readonly issues: ReadonlyArray<PubNubError.Detail> },
    never,
    RE
  > => {
    const given = Objects.settable(custom)
    if (given === undefined || Option.isNone(given)) {
      return Effect.succeed({ custom: given === undefined ? undefined : null, issues: [] })
    }
    return Effect.match(codec.encode(given.value), {
      onSuccess: (custom) => ({ custom, issues: [] }),
      onFailure: (message) => ({ custom: undefined, issues: [{ location: "custom", message }] })
    })
  }

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
    return encode(fields).pipe(
      Effect.flatMap(({ custom, issues }) => write(operation, id, fields, custom, include, ifMatchesEtag, issues)),
      Effect.flatMap((wire) => typed(operation, wire))
    )
  }

  /** What became of a write that failed: an answer that was lost is looked for in the object. */
  const settle = (operation: string, id: string, etag: AppContext.Etag) => (error: PubNubError.PubNubError) =>
    Result.match(Outcome.judge(error.reason), {
      onSuccess: () => Effect.fail(error),
      onFailure: (reason) => {
        const unknown = new AppContext.UpdateOutcomeUnknown({ ...owner(operation, id), reason })
        return read(operation, id, []).pipe(
          Effect.retry({ schedule: settling, while: ({ isRetryable }) => isRetryable }),
          Effect.matchEffect({
            onSuccess: (now) => Effect.fail(now.etag === etag ? error : unknown),
            onFailure: () => Effect.fail(unknown)
          })
        )
      }
    })

  const update = (
    id: string,
    { custom: how = "replace", retry = Retry.contention }: AppContext.UpdateOptions,
    f: (object: B & AppContext.Included<C>) => Fields<C>
  ) => {
    const operation = `update${kind.name}`
    const attempt = Effect.gen(function*() {
      const before = yield* read(operation, id, parts)
      const current = yield* typed(operation, before)
      const fields = f(current)
      if (Object.values(fields).every((value) => value === undefined)) return current
      const { custom: given, issues } = yield* encode(fields)
      const custom = how === "merge" && given !== undefined && given !== null
        ? { ...Option.getOrUndefined(before.custom), ...given }
        : given
      const after = yield* write(operation, id, fields, custom, parts, before.etag, issues).pipe(
        Effect.catchTag("PubNubError", settle(operation, id, before.etag))
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

  const list = (options: AppContext.PageOptions & Objects.Selection) => {
    const operation = `list${kind.name}s`
    const { include = usual, ...rest } = options
    return Objects.call({
      operation,
      method: "GET",
      path: [kind.collection],
      query: Objects.pageQuery({ ...rest, include }, (field) => field),
      issues: Objects.pageIssues(options, known),
      answer: Many
    }).pipe(
      Effect.flatMap((answer) =>
        Effect.map(
          Effect.forEach(answer.data, (wire) => typed(operation, wire)),
          (items) => Objects.toPage(items, answer, Objects.fullPage(options))
        )
      )
    )
  }

  const stream = (options: Objects.Selection & { readonly pageSize?: number | undefined }) => {
    const { pageSize, ...selection } = options
    return Objects.streamOf((next) => list({ ...selection, limit: pageSize, next }), ({ id }) => id)
  }

  return { get, set, update, remove, list, stream }
}
