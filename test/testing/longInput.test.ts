/** What others write, as long as an address has room for and longer, takes a time that grows as it does. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
import * as filters from "../../src/testing/pubnub/filter.ts"
import * as objectFilters from "../../src/testing/pubnub/objectFilter.ts"

const subject = { data: { x: "a" }, meta: { x: 1 }, uuid: "u" }

const within = <A>(millis: number, run: () => A): A => {
  const start = performance.now()
  const result = run()
  assert.isBelow(performance.now() - start, millis)
  return result
}

const many = (count: number, part: string, between: string) => Array.from({ length: count }, () => part).join(between)

it.each<readonly [string, string, boolean | undefined]>([
  ["sums", `${many(100_000, "1", "+")} == 100000`, true],
  ["products", `${many(100_000, "1", "*")} == 1`, true],
  ["conditions, all of which hold", many(50_000, "uuid=='u'", "&&"), true],
  ["conditions, none of which holds", many(50_000, "uuid=='v'", "||"), false],
  ["both, which bind as they do", `${many(10_000, "uuid=='v'&&meta.x==1", "||")}||true`, true],
  ["comparisons of comparisons", many(50_000, "1", "=="), false],
  ["a path", `data${".x".repeat(100_000)}==1`, false],
  ["a path that is never ended", "data[".repeat(100_000), undefined],
  ["negations", `${"!".repeat(100_000)}true`, undefined],
  ["signs", `${"-".repeat(100_000)}1`, undefined],
  ["parentheses", `${"(".repeat(100_000)}1`, undefined],
  ["spaces", `1${" ".repeat(1_000_000)}#`, undefined],
  ["quotes", `${"'".repeat(100_001)}#`, undefined],
  ["digits", "1".repeat(1_000_000), false],
  ["dots", "1.".repeat(100_000), undefined],
  ["a name", "a".repeat(1_000_000), false]
])("evaluates or rejects a long subscribe filter in time: %s", (_, source, expected) => {
  assert.strictEqual(within(5_000, () => filters.parse(source)?.(subject)), expected)
})

it.each<readonly [string, string, boolean | undefined]>([
  ["conditions, all of which hold", many(50_000, "id==1", "&&"), true],
  ["conditions, none of which holds", many(50_000, "id==2", "||"), false],
  ["both, which bind as they do", `${many(10_000, "id==2&&id==1", "||")}||id==1`, true],
  ["words", many(50_000, "id==1", " AND "), true],
  ["negations", `${"!".repeat(100_000)}id==1`, undefined],
  ["parentheses", `${"(".repeat(100_000)}id==1`, undefined],
  ["a time of many fractions", `updated=='${".1".repeat(100_000)}'`, false],
  ["a time of many digits", `updated=='1.${"1".repeat(100_000)}Z'`, false],
  ["an operator that is missing", `id==1${"&".repeat(100_001)}`, undefined]
])("evaluates or rejects a long App Context filter in time: %s", (_, source, expected) => {
  const filter = within(5_000, () => objectFilters.parse(source, ["id", "updated"]))
  assert.strictEqual(within(5_000, () => filter?.((name) => name === "id" ? "1" : 1n)), expected)
})

const fill = (target: string, unit: string) => target + unit.repeat(Math.floor((32_768 - target.length) / unit.length))

const units = [
  "/",
  "%2F",
  "%",
  "%25",
  ",",
  "..",
  "=",
  "&",
  "?",
  "a=&",
  "[",
  "\"",
  "*",
  "%00",
  "%F0%9F%98%80",
  ":",
  "1",
  "-pnpres,"
]

const beginnings = [
  "/",
  "/v2/subscribe/demo-sub/",
  "/v2/subscribe/demo-sub/a/0?uuid=me&channel-group=",
  "/v2/subscribe/demo-sub/a/0?uuid=me&tt=",
  "/v2/subscribe/demo-sub/a/0?uuid=me&heartbeat=",
  "/v2/subscribe/demo-sub/a/0?uuid=me&filter-expr=",
  "/v2/subscribe/demo-sub/a/0?uuid=me&state=",
  "/v2/objects/demo-sub/uuids?uuid=me&filter=",
  "/v2/objects/demo-sub/uuids?uuid=me&start=",
  "/v2/objects/demo-sub/uuids?uuid=me&sort=",
  "/v2/objects/demo-sub/uuids?uuid=me&include=",
  "/v3/history/sub-key/demo-sub/channel/",
  "/v3/history/sub-key/demo-sub/channel/a?uuid=me&max=",
  "/v3/history/sub-key/demo-sub/message-counts/a?uuid=me&channelsTimetoken=",
  "/v1/message-actions/demo-sub/channel/a?uuid=me&limit=",
  "/v1/channel-registration/sub-key/demo-sub/channel-group/g?uuid=me&add=",
  "/publish/demo-pub/demo-sub/0/a/0/",
  "/publish/demo-pub/demo-sub/0/a/0/1?uuid=me&ttl=",
  "/publish/demo-pub/demo-sub/0/a/0/1?uuid=me&meta=",
  "/v2/presence/sub-key/demo-sub/channel/a/uuid/me/data?uuid=me&state=",
  "/v2/presence/sub-key/demo-sub/channel/a?uuid=me&offset=",
  "/publish/demo-pub/demo-sub/0/a/0/1?uuid=me&signature="
]

const targets = units.flatMap((unit) => beginnings.map((beginning) => fill(beginning, unit)))

it.live(
  "answers an address of 32 KiB of any special characters within three seconds",
  () =>
    Effect.gen(function*() {
      const { handle } = yield* PubNubEmulator.PubNubEmulator
      for (const target of targets) {
        const start = performance.now()
        const { status } = yield* handle({ method: "GET", target, headers: {}, body: "" })
        assert.include([200, 400, 403, 404], status, target.slice(0, 100))
        assert.isBelow(performance.now() - start, 3_000, target.slice(0, 100))
      }
    }).pipe(Effect.provide(PubNubEmulator.layer({
      hold: "1 millis",
      keysets: [{ subscribeKey: "demo-sub", publishKey: "demo-pub", secretKey: "sec" }]
    }))),
  60_000
)
