import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as TestClock from "effect/testing/TestClock"
import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
import { get, getObjects, handshake, poll, removeObject, setObjects } from "./http.ts"

const emulated = (options?: PubNubEmulator.Options) => Effect.provide(PubNubEmulator.layer(options))

const emulator = PubNubEmulator.PubNubEmulator

type Query = Readonly<Record<string, string | number>>

const member = (value: unknown, name: string): unknown => Predicate.isObject(value) ? value[name] : undefined

/** The `data` of an answer that is a success. */
const data = <E, R>(answer: Effect.Effect<{ readonly status: number; readonly body: unknown }, E, R>) =>
  Effect.map(answer, (answer) => {
    assert.strictEqual(answer.status, 200, JSON.stringify(answer.body))
    return member(answer.body, "data")
  })

/** The ids on a page, and whatever else is in the answer. */
const page = (path: string, parameters: Query = {}) =>
  Effect.map(getObjects(path, parameters), ({ body, status }): object & { readonly ids: string } => {
    assert.strictEqual(status, 200, JSON.stringify(body))
    const { data, status: _, ...rest } = body as { data: ReadonlyArray<unknown>; status: number }
    const idOf = (entry: unknown) =>
      String(member(entry, "id") ?? member(member(entry, "channel"), "id") ?? member(member(entry, "uuid"), "id"))
    return { ids: data.map(idOf).join(), ...rest }
  })

const ids = (path: string, parameters: Query = {}) => Effect.map(page(path, parameters), ({ ids }) => ids)

/** What readers of a channel heard since a cursor: channel, kind of event, and its data. */
const heard = (channels: string, cursor: string) =>
  Effect.map(poll(channels, cursor), ({ envelopes }) =>
    envelopes.map(({ c, d, e, i }) => {
      assert.deepStrictEqual([e, i, member(d, "source"), member(d, "version")], [2, undefined, "objects", "2.0"])
      return [c, `${String(member(d, "event"))} ${String(member(d, "type"))}`, member(d, "data")]
    }))

const start = "2023-11-14T22:13:20"

describe("users and channels of the emulator", () => {
  it.effect("creates, merges, clears and removes them in the form of the service", () =>
    Effect.gen(function*() {
      const created = yield* setObjects("/uuids/ada", { name: "Ada", custom: { b: 1, a: "x" }, unknown: 1 })
      const [tag = ""] = /[0-9a-f]{32}/.exec(created.text) ?? []
      assert.strictEqual(
        created.text,
        "{\"status\":200,\"data\":{\"id\":\"ada\",\"name\":\"Ada\",\"externalId\":null,\"profileUrl\":null,\"email\":null," +
          `"updated":"${start}Z","eTag":"${tag}"}}`
      )
      assert.strictEqual(created.headers["content-type"], "application/json")
      const include = { include: "custom,status,type" }
      yield* TestClock.adjust("5 millis")
      const merged = yield* data(
        setObjects("/uuids/ada", { email: "a@b.c", status: "here", custom: { c: true } }, include)
      )
      assert.deepStrictEqual(merged, {
        id: "ada",
        name: "Ada",
        externalId: null,
        profileUrl: null,
        email: "a@b.c",
        type: null,
        status: "here",
        custom: { c: true },
        updated: `${start}.005Z`,
        eTag: member(merged, "eTag")
      })
      assert.notStrictEqual(member(merged, "eTag"), tag)
      const cleared = yield* data(setObjects("/uuids/ada", { name: null, custom: null }, include))
      assert.deepInclude(cleared, { name: null, custom: null, email: "a@b.c", updated: `${start}.005001Z` })
      assert.deepStrictEqual(yield* data(getObjects("/uuids/ada", include)), cleared)

      const channel = yield* data(setObjects("/channels/a%20b%2Fc", { description: "d" }, { include: "type" }))
      assert.hasAllKeys(channel, ["id", "name", "description", "type", "updated", "eTag"])
      assert.deepInclude(channel, { id: "a b/c", name: null, description: "d", type: null })
      // A channel has no email, and a user no description.
      assert.deepStrictEqual(
        yield* data(setObjects("/channels/a%20b%2Fc", { email: "x" }, { include: "type" })),
        channel
      )

      for (let time = 0; time < 2; time++) {
        assert.strictEqual((yield* removeObject("/uuids/ada")).text, "{\"status\":200,\"data\":null}")
        const gone = yield* getObjects("/uuids/ada")
        assert.deepStrictEqual([gone.status, gone.body], [
          404,
          { status: 404, error: { message: "Requested object was not found.", source: "objects" } }
        ])
      }
      assert.strictEqual(yield* ids("/uuids"), "")
      assert.strictEqual(yield* ids("/channels"), "a b/c")
    }).pipe(emulated()))

  it.effect("keeps the time and etag, and sends no event, when a set changes nothing", () =>
    Effect.gen(function*() {
      const cursor = yield* handshake("ada")
      const first = yield* data(setObjects("/uuids/ada", { name: "Ada", custom: { a: 1, b: null }, email: null }))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* data(setObjects("/uuids/ada", { name: "Ada", custom: { b: null, a: 1 } })), first)
      assert.deepStrictEqual(yield* data(setObjects("/uuids/ada", { type: null })), first)
      assert.deepStrictEqual(yield* data(setObjects("/uuids/ada", {})), first)
      assert.lengthOf(yield* heard("ada", cursor), 1)
      // No fields are no custom.
      yield* setObjects("/uuids/bob", { custom: {} })
      assert.deepInclude(yield* data(getObjects("/uuids/bob", { include: "custom" })), { custom: null })
      yield* setObjects("/uuids/ada", { custom: { a: 1 } })
      assert.notDeepEqual(yield* data(getObjects("/uuids/ada")), first)
    }).pipe(emulated()))

  it.effect("answers 412 when the etag of If-Match is old", () =>
    Effect.gen(function*() {
      for (const [path, name] of [["/uuids/ada", "User"], ["/channels/a", "Channel"]] as const) {
        const tag = String(member(yield* data(setObjects(path, { name: "1" })), "eTag"))
        assert.deepInclude(yield* data(setObjects(path, { name: "2" }, {}, { "if-match": tag })), { name: "2" })
        const refused = yield* setObjects(path, { name: "3" }, {}, { "if-match": tag })
        assert.deepStrictEqual([refused.status, refused.body], [412, {
          status: 412,
          error: { message: `${name} to update has been modified after it was read.`, source: "objects" }
        }])
        assert.deepInclude(yield* data(getObjects(path)), { name: "2" })
        yield* removeObject(path)
        assert.strictEqual((yield* setObjects(path, {}, {}, { "if-match": tag })).status, 412)
      }
    }).pipe(emulated()))

  it.effect("sends changes to the object's own channel, and of users to their channels too", () =>
    Effect.gen(function*() {
      yield* setObjects("/uuids/ada/channels", { set: [{ channel: { id: "a" } }, { channel: { id: "ada" } }] })
      const cursor = yield* handshake("ada,a,b")
      const first = yield* data(setObjects("/uuids/ada", { name: "Ada", email: null }))
      const second = yield* data(setObjects("/uuids/ada", { name: "Ada", email: "e", custom: { z: 1, a: 2 } }))
      const third = yield* data(setObjects("/uuids/ada", { email: null, custom: null }))
      yield* removeObject("/uuids/ada")
      const channel = yield* data(setObjects("/channels/b", { description: "d", type: "t" }))
      yield* removeObject("/channels/b")
      yield* removeObject("/channels/b")
      const told = (item: unknown, fields: object) => ({
        ...fields,
        id: member(item, "id"),
        updated: member(item, "updated"),
        eTag: member(item, "eTag")
      })
      const user = [
        ["set uuid", told(first, { name: "Ada" })],
        ["set uuid", told(second, { email: "e", custom: { a: 2, z: 1 } })],
        ["set uuid", told(third, { email: null, custom: {} })],
        ["delete uuid", { id: "ada" }]
      ] as const
      assert.deepStrictEqual(yield* heard("ada,a,b", cursor), [
        ...user.flatMap((event) => [["ada", ...event], ["a", ...event]]),
        ["b", "set channel", told(channel, { description: "d", type: "t" })],
        ["b", "delete channel", { id: "b" }]
      ])
    }).pipe(emulated()))
})

describe("memberships of the emulator", () => {
  it.effect("sets and deletes them from either side, and shows them from both", () =>
    Effect.gen(function*() {
      yield* setObjects("/channels/a", { name: "A", custom: { k: 1 }, type: "t" })
      const include = { include: "custom,status,type,channel.custom", count: 1 }
      const set = yield* setObjects("/uuids/ada/channels", {
        set: [{ channel: { id: "a" }, custom: { role: "admin" }, status: "on" }, { channel: { id: "b" } }]
      }, include)
      const [first, second] = (member(set.body, "data") ?? []) as ReadonlyArray<object>
      const tags = [member(first, "eTag"), member(second, "eTag")]
      assert.deepStrictEqual(set.body, {
        status: 200,
        data: [
          {
            channel: {
              id: "a",
              name: "A",
              description: null,
              custom: { k: 1 },
              updated: `${start}Z`,
              eTag: member(member(first, "channel"), "eTag")
            },
            custom: { role: "admin" },
            status: "on",
            type: null,
            updated: `${start}.000001Z`,
            eTag: tags[0]
          },
          {
            channel: { id: "b" },
            custom: null,
            status: null,
            type: null,
            updated: `${start}.000002Z`,
            eTag: tags[1]
          }
        ],
        totalCount: 2,
        next: "Mg"
      })
      assert.match(String(tags[0]), /^[\w+/]{8,16}$/)

      yield* setObjects("/channels/a/uuids", { set: [{ uuid: { id: "bob" }, type: "guest" }] })
      assert.deepStrictEqual<object>(yield* page("/channels/a/uuids"), { ids: "ada,bob", next: "Mg" })
      assert.strictEqual(yield* ids("/uuids/bob/channels"), "a")
      // Where it was left out it stays, and what is there already has the same tag.
      const [changed] = (yield* data(
        setObjects("/channels/a/uuids", {
          set: [{ uuid: { id: "ada" }, status: "off" }],
          delete: [{ uuid: { id: "bob" } }, { uuid: { id: "nobody" } }]
        }, { include: "custom,status", limit: 1 })
      )) as ReadonlyArray<object>
      assert.deepInclude(changed, { uuid: { id: "ada" }, status: "off", custom: { role: "admin" } })
      assert.notStrictEqual(member(changed, "eTag"), tags[0])
      const [back] = (yield* data(
        setObjects("/uuids/ada/channels", { set: [{ channel: { id: "a" }, status: "on" }] })
      )) as ReadonlyArray<object>
      assert.strictEqual(member(back, "eTag"), tags[0])
      assert.strictEqual(yield* ids("/uuids/bob/channels"), "")
      const none = yield* setObjects("/uuids/ada/channels", {
        delete: [{ channel: { id: "a" } }, { channel: { id: "b" } }]
      })
      assert.strictEqual(none.text, "{\"status\":200,\"data\":[]}")
    }).pipe(emulated()))

  it.effect("shows the fields of the user or channel that include asks for", () =>
    Effect.gen(function*() {
      yield* setObjects("/uuids/ada", { name: "Ada", status: "here", custom: { a: 1 } })
      yield* setObjects("/channels/a/uuids", { set: [{ uuid: { id: "ada" } }] })
      const shown = (include: string) =>
        Effect.map(data(getObjects("/channels/a/uuids", { include })), (rows) => {
          const [row] = rows as ReadonlyArray<object>
          const nested = member(row, "uuid") as object
          return [Object.keys(row ?? {}).join(), Object.keys(nested).join()]
        })
      const core = "id,name,externalId,profileUrl,email"
      assert.deepStrictEqual(yield* shown(""), ["uuid,updated,eTag", "id"])
      assert.deepStrictEqual(yield* shown("uuid"), ["uuid,updated,eTag", `${core},updated,eTag`])
      assert.deepStrictEqual(yield* shown("uuid.custom,totalCount"), [
        "uuid,updated,eTag",
        `${core},custom,updated,eTag`
      ])
      assert.deepStrictEqual(yield* shown("status,custom,type,uuid.type,uuid.status"), [
        "uuid,type,status,custom,updated,eTag",
        `${core},type,status,updated,eTag`
      ])
      yield* removeObject("/uuids/ada")
      assert.deepStrictEqual(yield* shown("uuid.custom"), ["uuid,updated,eTag", "id"])
    }).pipe(emulated()))

  it.effect("sends changes to the channel and the user, and nothing when nothing changed", () =>
    Effect.gen(function*() {
      yield* setObjects("/channels/a/uuids", { set: [{ uuid: { id: "bob" } }] })
      const cursor = yield* handshake("a,ada")
      const change = { set: [{ channel: { id: "a" }, custom: { role: "admin" } }] }
      const [first] = (yield* data(setObjects("/uuids/ada/channels", change))) as ReadonlyArray<object>
      yield* setObjects("/uuids/ada/channels", change)
      const [second] = (yield* data(
        setObjects("/channels/a/uuids", { set: [{ uuid: { id: "ada" }, status: "s", type: "t" }] })
      )) as ReadonlyArray<object>
      for (let time = 0; time < 2; time++) {
        yield* setObjects("/channels/a/uuids", { delete: [{ uuid: { id: "ada" } }] })
      }
      const ends = { channel: { id: "a" }, uuid: { id: "ada" } }
      const events = [
        ["set membership", {
          ...ends,
          custom: { role: "admin" },
          eTag: member(first, "eTag"),
          updated: `${start}.000001000Z`
        }],
        ["set membership", {
          ...ends,
          status: "s",
          type: "t",
          eTag: member(second, "eTag"),
          updated: `${start}.000002000Z`
        }],
        ["delete membership", ends]
      ]
      assert.deepStrictEqual(
        yield* heard("a,ada", cursor),
        events.flatMap((event) => [["a", ...event], ["ada", ...event]])
      )
    }).pipe(emulated()))

  it.effect("ignores If-Match", () =>
    Effect.gen(function*() {
      const set = { set: [{ channel: { id: "a" } }] }
      assert.strictEqual((yield* setObjects("/uuids/ada/channels", set, {}, { "if-match": "other" })).status, 200)
    }).pipe(emulated()))
})

/** Users `u0`, `u1` and so on, of which every other one has a type. */
const fill = (count: number) =>
  emulator.use(({ setUser }) =>
    Effect.forEach(
      Array.from({ length: count }, (_, index) => index),
      (index) => setUser({ id: `u${index}`, name: `name ${9 - index}`, ...(index % 2 === 0 ? { type: "even" } : {}) })
    )
  )

describe("lists of the emulator", () => {
  it.effect("answers in pages, and gives a next cursor also on the last one", () =>
    Effect.gen(function*() {
      yield* fill(7)
      const list = (parameters: Query) => page("/uuids", parameters)
      assert.deepStrictEqual<object>(yield* list({ limit: 3, count: "true" }), {
        ids: "u0,u1,u2",
        totalCount: 7,
        next: "Mw"
      })
      assert.deepStrictEqual<object>(yield* list({ limit: 3, start: "Mw" }), {
        ids: "u3,u4,u5",
        next: "Ng",
        prev: "Mw"
      })
      assert.deepStrictEqual<object>(yield* list({ limit: 3, start: "Ng", count: "false" }), {
        ids: "u6",
        next: "Nw",
        prev: "Ng"
      })
      assert.deepStrictEqual<object>(yield* list({ limit: 3, start: "Nw" }), { ids: "", prev: "Nw" })
      assert.deepStrictEqual<object>(yield* list({ limit: 3, end: "Ng" }), { ids: "u3,u4,u5", next: "Ng", prev: "Mw" })
      assert.deepStrictEqual<object>(yield* list({ limit: 3, end: "Mg" }), { ids: "u0,u1", next: "Mg" })
      // Of both, start it is.
      assert.deepStrictEqual<object>(yield* list({ limit: 1, start: "Mw", end: "Ng" }), {
        ids: "u3",
        next: "NA",
        prev: "Mw"
      })
      assert.deepStrictEqual<object>(yield* list({}), { ids: "u0,u1,u2,u3,u4,u5,u6", next: "Nw" })
    }).pipe(emulated()))

  it.effect("returns at most 100 entries", () =>
    Effect.gen(function*() {
      yield* emulator.use(({ setMembership }) =>
        Effect.forEach(Array.from({ length: 120 }, (_, index) => index), (index) =>
          setMembership({ userId: "ada", channel: `c${index}` }))
      )
      const counted = yield* data(getObjects("/uuids/ada/channels", { limit: 100 }))
      assert.lengthOf(counted as ReadonlyArray<unknown>, 100)
      assert.lengthOf((yield* data(getObjects("/uuids/ada/channels"))) as ReadonlyArray<unknown>, 100)
    }).pipe(emulated()))

  it.effect("sorts by several keys, and by id at the end", () =>
    Effect.gen(function*() {
      yield* fill(4)
      assert.strictEqual(yield* ids("/uuids"), "u0,u1,u2,u3")
      assert.strictEqual(yield* ids("/uuids", { sort: "id:desc" }), "u3,u2,u1,u0")
      assert.strictEqual(yield* ids("/uuids", { sort: "name" }), "u3,u2,u1,u0")
      assert.strictEqual(yield* ids("/uuids", { sort: "updated:desc" }), "u3,u2,u1,u0")
      // What has no type comes last.
      assert.strictEqual(yield* ids("/uuids", { sort: "type,name:asc" }), "u2,u0,u3,u1")
      assert.strictEqual(yield* ids("/uuids", { sort: "type:DESC" }), "u1,u3,u0,u2")
      yield* setObjects("/channels/a/uuids", {
        set: [{ uuid: { id: "u0" }, status: "x" }, { uuid: { id: "u1" }, status: "y" }, {
          uuid: { id: "u2" },
          status: "x"
        }]
      })
      assert.strictEqual(yield* ids("/channels/a/uuids", { sort: "uuid.name" }), "u2,u1,u0")
      assert.strictEqual(yield* ids("/channels/a/uuids", { sort: "status:desc,uuid.id:desc" }), "u1,u2,u0")
      assert.strictEqual(yield* ids("/channels/a/uuids", { sort: "uuid.updated:desc" }), "u2,u1,u0")
      assert.strictEqual(yield* ids("/channels/a/uuids", { sort: "updated:desc" }), "u2,u1,u0")
      // A key that comes again is one more.
      const path = "/v2/objects/demo-sub/channels/a/uuids?uuid=me&sort=status%3Adesc&sort=uuid.id%3Adesc"
      assert.match((yield* get(path)).text, /"u1".*"u2".*"u0"/)
    }).pipe(emulated()))

  it.effect("names the parameter that it refuses", () =>
    Effect.gen(function*() {
      for (
        const [path, name, value] of [
          ["/uuids", "limit", "0"],
          ["/uuids", "limit", "101"],
          ["/channels", "limit", "x"],
          ["/uuids", "start", "?"],
          ["/uuids", "end", "eA"],
          ["/uuids", "sort", "email"],
          ["/uuids", "sort", "name:up"],
          ["/channels", "sort", "uuid.name"],
          ["/uuids/ada/channels", "sort", "name"],
          ["/uuids/ada/channels", "sort", "uuid.name"],
          ["/channels/a/uuids", "filter", "uuid.custom.x == 1"],
          ["/uuids", "filter", "name LIKE"]
        ] as const
      ) {
        const answer = yield* getObjects(path, { [name]: value })
        assert.strictEqual(answer.status, 400, `${path} ${name} ${value}`)
        assert.deepNestedInclude(answer.body, {
          "error.message": "Request payload contained invalid input.",
          "error.source": "objects",
          "error.details[0].location": name,
          "error.details[0].locationType": "query"
        })
      }
    }).pipe(emulated()))
})

describe("App Context filter", () => {
  const people = {
    ada: { name: "Ada", email: "ada@x.org", type: "admin", status: "on" },
    bob: { name: "Bob \"B\"", type: "user", status: "off", externalId: "17" },
    cyd: { name: "adam", type: "user" }
  }

  const filled = emulator.use(({ setUser }) =>
    Effect.forEach(
      Object.entries(people),
      ([id, change]) => Effect.andThen(TestClock.adjust("1 second"), setUser({ id, ...change }))
    )
  )

  it.effect.each(
    [
      ["name == \"Ada\"", "ada"],
      ["name == 'Bob \"B\"'", "bob"],
      ["name != 'Ada'", "bob,cyd"],
      ["name LIKE \"*da*\"", "ada,cyd"],
      ["name like 'A*'", "ada"],
      ["name Like 'A'", ""],
      ["email LIKE '*.org'", "ada"],
      ["email LIKE '*?org'", ""],
      ["status != 'off'", "ada,cyd"],
      ["externalId == 17", "bob"],
      ["id >= 'bob'", "bob,cyd"],
      ["id > 'bob' || id < 'bob'", "ada,cyd"],
      ["id <= \"ada\"", "ada"],
      ["type == 'user' && status == 'off'", "bob"],
      ["type == 'user' AND status == 'off' or id == 'ada'", "ada,bob"],
      ["id == 'ada' || type == 'user' && status == 'off'", "ada,bob"],
      ["(id == 'ada' || type == 'user') && status == 'off'", "bob"],
      ["!(type == 'user') || !id != 'bob'", "ada,bob"],
      ["!type == 'user'", "ada"],
      [" (( name=='Ada' )) ", "ada"],
      [`updated >= '${start.slice(0, -2)}22Z'`, "bob,cyd"],
      [`updated == "${start.slice(0, -2)}22.000Z"`, "bob"],
      [`updated < '${start.slice(0, -2)}21.500Z'`, "ada"],
      [`updated < '${start.slice(0, -2)}21.0000001Z'`, ""],
      ["updated > 'yesterday'", ""]
    ] as const
  )("selects by %s", ([filter, expected]) =>
    Effect.gen(function*() {
      yield* filled
      assert.strictEqual(yield* ids("/uuids", { filter }), expected)
    }).pipe(emulated()))

  it.effect.each(
    [
      "custom.x == 1",
      "nothing == 1",
      "name",
      "name ==",
      "name = 'x'",
      "name == x",
      "'Ada' == name",
      "name == 'x' &&",
      "name == 'x' name == 'y'",
      "(name == 'x'",
      "name == 'x')",
      "name == 'x",
      "name CONTAINS 'x'",
      "name && 'x'",
      "!",
      "uuid.name == 'x'"
    ]
  )("refuses the invalid expression %s", (filter) =>
    Effect.gen(function*() {
      yield* filled
      assert.strictEqual((yield* getObjects("/uuids", { filter })).status, 400)
    }).pipe(emulated()))

  it.effect("reads the user or channel of a membership", () =>
    Effect.gen(function*() {
      yield* filled
      yield* setObjects("/channels/a/uuids", {
        set: [{ uuid: { id: "ada" }, type: "x" }, { uuid: { id: "bob" } }, { uuid: { id: "dan" }, type: "x" }]
      })
      const members = (filter: string) => page("/channels/a/uuids", { filter, count: 1 })
      assert.deepStrictEqual<object>(yield* members("uuid.name like '*'"), {
        ids: "ada,bob",
        totalCount: 2,
        next: "Mg"
      })
      assert.strictEqual((yield* members("type == 'x'")).ids, "ada,dan")
      assert.strictEqual((yield* members("uuid.type == 'admin' && type == 'x'")).ids, "ada")
      assert.strictEqual((yield* members(`uuid.updated < '${start.slice(0, -2)}22Z'`)).ids, "ada")
      yield* setObjects("/channels/a", { description: "d" })
      assert.strictEqual(yield* ids("/uuids/dan/channels", { filter: "channel.description == 'd'" }), "a")
    }).pipe(emulated()))
})

describe("refusals of the emulator", () => {
  const tooLong = (length: number) => "x".repeat(length + 1)

  it.effect("names the field that is too long or of another type, and changes nothing", () =>
    Effect.gen(function*() {
      for (
        const [path, body, location] of [
          ["/uuids/u", { name: tooLong(2048) }, "name"],
          ["/uuids/u", { externalId: tooLong(2048) }, "externalId"],
          ["/uuids/u", { profileUrl: tooLong(2048) }, "profileUrl"],
          ["/uuids/u", { email: tooLong(320) }, "email"],
          ["/uuids/u", { status: tooLong(50) }, "status"],
          ["/uuids/u", { type: tooLong(50) }, "type"],
          ["/uuids/u", { name: 1 }, "name"],
          ["/uuids/u", { custom: { a: { b: 1 } } }, "custom"],
          ["/uuids/u", { custom: [1] }, "custom"],
          ["/channels/u", { description: tooLong(2048) }, "description"],
          [
            "/uuids/u/channels",
            { set: [{ channel: { id: "a" } }, { channel: { id: tooLong(92) } }] },
            "set[1].channel.id"
          ],
          ["/uuids/u/channels", { set: [{ uuid: { id: "a" } }] }, "set[0].channel.id"],
          ["/uuids/u/channels", { set: [{ channel: { id: "a" }, custom: { a: [] } }] }, "set[0].custom"],
          ["/channels/u/uuids", { delete: [{ uuid: { id: "" } }] }, "delete[0].uuid.id"],
          ["/channels/u/uuids", { set: {} }, "set"]
        ] as const
      ) {
        const answer = yield* setObjects(path, body)
        assert.strictEqual(answer.status, 400, location)
        assert.deepNestedInclude(answer.body, {
          "error.message": "Request payload contained invalid input.",
          "error.details[0].location": location,
          "error.details[0].locationType": "body"
        })
      }
      const { channels, memberships, users } = yield* emulator
      assert.deepStrictEqual([yield* users, yield* channels, yield* memberships], [[], [], []])
      for (const body of ["{", "[]", "1", ""]) {
        const answer = yield* setObjects("/uuids/u", body)
        assert.deepStrictEqual([answer.status, member(member(answer.body, "error"), "message")], [
          400,
          "Request payload must be in JSON format."
        ])
      }
    }).pipe(emulated()))

  it.effect("accepts ids of up to 92 bytes, and other fields of up to their limits", () =>
    Effect.gen(function*() {
      const id = "é".repeat(46)
      const fits = {
        name: "x".repeat(2048),
        email: "x".repeat(320),
        status: "x".repeat(50),
        custom: { a: null, b: 1.5 }
      }
      assert.strictEqual((yield* setObjects(`/uuids/${encodeURIComponent(id)}`, fits)).status, 200)
      const refused = yield* setObjects(`/uuids/${encodeURIComponent(`${id}x`)}`, {})
      assert.strictEqual(refused.status, 400)
      assert.deepNestedInclude(refused.body, {
        "error.details[0].location": "uuid",
        "error.details[0].locationType": "path"
      })
    }).pipe(emulated()))

  it.effect("answers 403 when App Context is off or a name is denied", () =>
    Effect.gen(function*() {
      const { allow, deny, setAddOns } = yield* emulator
      yield* deny({ channels: ["a", "ada"], userIds: ["me"] })
      for (
        const request of [
          getObjects("/channels/a"),
          setObjects("/uuids/ada", { name: "x" }),
          removeObject("/uuids/ada"),
          getObjects("/channels/a/uuids"),
          setObjects("/uuids/ada/channels", {})
        ]
      ) {
        const answer = yield* request
        assert.deepStrictEqual([answer.status, member(member(answer.body, "error"), "source")], [403, "objects"])
      }
      assert.deepStrictEqual(
        [
          yield* getObjects("/uuids"),
          yield* getObjects("/uuids/bob/channels"),
          yield* getObjects("/uuids/ada/channels", { uuid: "you" })
        ]
          .map(({ status }) => status),
        [200, 200, 200]
      )
      yield* deny({ userIds: ["me"] })
      assert.strictEqual((yield* getObjects("/uuids")).status, 403)
      yield* allow
      yield* setAddOns({ appContext: false })
      const off = yield* getObjects("/uuids")
      assert.strictEqual(off.status, 403)
      assert.match(String(member(member(off.body, "error"), "message")), /objects API requires the App Context add-on/)
    }).pipe(emulated()))

  it.effect("answers 404 to other paths and methods", () =>
    Effect.gen(function*() {
      for (const path of ["/users", "/uuids/a/uuids", "/uuids/a/b", "/channels/a/uuids/b", "/uuids/"]) {
        assert.strictEqual((yield* getObjects(path)).status, 404, path)
      }
      assert.strictEqual((yield* setObjects("/uuids", {})).status, 404)
      assert.strictEqual((yield* removeObject("/uuids/a/channels")).status, 404)
    }).pipe(emulated()))
})

it.effect("lets a test read and change App Context as another client would", () =>
  Effect.gen(function*() {
    const app = yield* emulator
    const cursor = yield* handshake("ada,a")
    const user = yield* app.setUser({ id: "ada", name: "Ada", custom: { a: 1 } })
    const channel = yield* app.setChannel({ id: "a", description: "d", status: "s" })
    const membership = yield* app.setMembership({ userId: "ada", channel: "a", type: "t" })
    yield* app.setMembership({ userId: "ada", channel: "0" })
    assert.deepStrictEqual(user, {
      id: "ada",
      name: "Ada",
      externalId: undefined,
      profileUrl: undefined,
      email: undefined,
      status: undefined,
      type: undefined,
      custom: { a: 1 },
      updated: DateTime.makeUnsafe(`${start}Z`),
      etag: user.etag
    })
    assert.deepInclude(channel, { id: "a", name: undefined, description: "d", status: "s" })
    assert.deepInclude(membership, { userId: "ada", channel: "a", type: "t", custom: undefined })
    assert.deepStrictEqual(yield* app.users, [user])
    assert.deepStrictEqual(yield* app.channels, [channel])
    assert.deepStrictEqual((yield* app.memberships).map(({ channel }) => channel), ["0", "a"])
    assert.deepInclude(yield* app.setUser({ id: "ada", name: Option.none(), email: "e" }), {
      name: undefined,
      email: "e"
    })
    yield* app.removeUser({ id: "ada" })
    yield* app.removeChannel({ id: "a" })
    yield* app.removeMembership({ userId: "ada", channel: "a" })
    yield* app.removeMembership({ userId: "ada", channel: "0" })
    assert.deepStrictEqual([yield* app.users, yield* app.channels, yield* app.memberships], [[], [], []])
    assert.deepStrictEqual(
      (yield* heard("ada,a", cursor)).map(([channel, event]) => `${String(channel)}: ${String(event)}`),
      [
        "ada: set uuid",
        "a: set channel",
        "a: set membership",
        "ada: set membership",
        "ada: set membership",
        "ada: set uuid",
        "a: set uuid",
        "ada: delete uuid",
        "a: delete uuid",
        "a: delete channel",
        "a: delete membership",
        "ada: delete membership",
        "ada: delete membership"
      ]
    )
  }).pipe(emulated()))
