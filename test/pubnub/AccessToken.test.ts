/** Tokens of the service, read byte by byte, and everything that is none. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { AccessToken } from "effect-herald/pubnub"

/** Recorded tokens, by what is in them: see the facts about Access Manager. */
const recorded = {
  oneMinute:
    "p0F2AkF0GmgvHt5DdHRsAUNyZXOlRGNoYW6hbHRlc3RfY2hhbm5lbAFDZ3JwoENzcGOhbHRlc3RfY2hhbm5lbAFDdXNyoER1dWlkoENwYXSlRGNoYW6gQ2dycKBDc3BjoEN1c3KgRHV1aWSgRG1ldGGgQ3NpZ1gg5SbDTbpbomw6t5qehALR-zenMHZBS7Nv1N-IxeMhp0s=",
  everything:
    "qEF2AkF0GmertwtDdHRsGDxDcmVzpURjaGFuoW9zb21lX2NoYW5uZWxfaWQY70NncnChbXNvbWVfZ3JvdXBfaWQFQ3NwY6Fvc29tZV9jaGFubmVsX2lkGO9DdXNyoWlzb21lX3V1aWQYaER1dWlkoWlzb21lX3V1aWQYaENwYXSlRGNoYW6hZnNvbWVfKgdDZ3JwoWZzb21lXyoBQ3NwY6Fmc29tZV8qB0N1c3KhZnNvbWVfKhggRHV1aWShZnNvbWVfKhggRG1ldGGgRHV1aWRpc29tZV91dWlkQ3NpZ1ggwfN_9UgB2U0sIBUVoaSihuFQ_BDnHJsmek0AuKQYhfs=",
  patterns:
    "p0F2AkF0GmgvID9DdHRsGDxDcmVzpURjaGFuoENncnCgQ3NwY6BDdXNyoER1dWlkoENwYXSlRGNoYW6ib15leGFjdC1jaGFubmVsJANvXnByZWZpeC1bMC05XSskAUNncnCgQ3NwY6JvXmV4YWN0LWNoYW5uZWwkA29ecHJlZml4LVswLTldKyQBQ3VzcqBEdXVpZKBEbWV0YaBDc2lnWCDUrhHtjq2vBmistvk89l6SG65dC82hWmyXWfw2TyWi-A==",
  meta:
    "p0F2AkF0GmgvIEFDdHRsGDxDcmVzpURjaGFuoWx0ZXN0LWNoYW5uZWwBQ2dycKBDc3BjoWx0ZXN0LWNoYW5uZWwBQ3VzcqBEdXVpZKBDcGF0pURjaGFuoENncnCgQ3NwY6BDdXNyoER1dWlkoERtZXRho2dwbi11dWlkbXNwZWNpZmljLXV1aWRncG4tYXV0aGhhdXRoLWtleWxjdXN0b21fZmllbGRldmFsdWVDc2lnWCAdFrpS_CYtWTbd9J7t232-6_xqmw6oAZmFPUDTvFU9ow=="
}

const parse = (text: string) => AccessToken.parse(Redacted.make(text))
const parsed = (text: string) => Result.getOrThrow(parse(text))
const ofHex = (hex: string) => Base64Url.encode(new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex")))
const problemOf = (text: string) => {
  const result = parse(text)
  return Result.isFailure(result) ? result.failure : assert.fail("it was read")
}

describe("AccessToken.parse", () => {
  it("reads times, rights, user, patterns and meta of recorded tokens", () => {
    const one = parsed(recorded.oneMinute)
    assert.strictEqual(DateTime.toEpochMillis(one.granted), 1_747_918_558_000)
    assert.strictEqual(DateTime.toEpochMillis(one.expires), 1_747_918_618_000)
    assert.strictEqual(Duration.toMinutes(one.ttl), 1)
    assert.deepStrictEqual([...one.resources.channels], [["test_channel", ["read"]]])
    assert.isFalse("user" in one)

    const all = parsed(recorded.everything)
    assert.strictEqual(all.user, "some_uuid")
    assert.deepStrictEqual([...all.resources.channels.values()], [
      ["read", "write", "manage", "delete", "get", "update", "join"]
    ])
    assert.deepStrictEqual([...all.resources.groups], [["some_group_id", ["read", "manage"]]])
    assert.deepStrictEqual([...all.resources.users], [["some_uuid", ["delete", "get", "update"]]])
    assert.deepStrictEqual([...all.patterns.channels], [["some_*", ["read", "write", "manage"]]])
    assert.deepStrictEqual([...all.resources.others.keys()], ["spc", "usr"])

    assert.deepStrictEqual(
      new Map(parsed(recorded.patterns).patterns.channels),
      new Map<string, ReadonlyArray<AccessToken.Right>>([
        ["^exact-channel$", ["read", "write"]],
        ["^prefix-[0-9]+$", ["read"]]
      ])
    )
    assert.deepStrictEqual(parsed(recorded.meta).meta, {
      "pn-uuid": "specific-uuid",
      "pn-auth": "auth-key",
      "custom_field": "value"
    })
  })

  it("reads both alphabets of base64, with padding and without", () => {
    const [text, expected] = [recorded.patterns, parsed(recorded.patterns)]
    const standard = text.replaceAll("-", "+").replaceAll("_", "/")
    for (const other of [standard, text.replaceAll("=", ""), standard.replaceAll("=", "")]) {
      assert.deepStrictEqual(parsed(other), expected)
    }
  })

  it("takes missing sections as empty, and leaves out those that it does not know", () => {
    const bare = parsed(ofHex("a4 6176 02 6174 01 6374746c 01 636e6577 8101"))
    assert.deepStrictEqual([bare.resources.channels.size, bare.patterns.users.size, bare.meta], [0, 0, {}])
    assert.deepStrictEqual(bare.categories, { channels: [], users: [] })
  })

  it("reads category rights, and kinds of other products by their own names", () => {
    // {v: 2, t: 1, ttl: 1, cat: {chan: 32, uuid: 32}, res: {"ds:e": {x: 16}, chan: {a: 255}}}
    const token = parsed(ofHex(
      "a5 6176 02 6174 01 6374746c 01 63636174 a2 446368616e 1820 4475756964 1820 " +
        "63726573 a2 6464733a65 a1 6178 10 6463 68616e a1 6161 18ff"
    ))
    assert.deepStrictEqual(token.categories, { channels: ["get"], users: ["get"] })
    assert.deepStrictEqual([...token.resources.others.get("ds:e") ?? []], [["x", ["create"]]])
    assert.strictEqual(token.resources.channels.get("a")?.length, 8)
  })

  it("reads names that are special to JavaScript as names, and digits as text", () => {
    const token = parsed(ofHex(
      "a5 6176 02 6174 01 6374746c 01 63726573 a1 446368616e a3 695f5f70726f746f5f5f 01 6b636f6e7374727563746f72 02 6137 03" +
        "646d657461 a1 695f5f70726f746f5f5f 626f6b"
    ))
    assert.deepStrictEqual([...token.resources.channels.keys()], ["__proto__", "constructor", "7"])
    assert.deepStrictEqual(Object.entries(token.meta), [["__proto__", "ok"]])
  })

  it("reads numbers of every size in meta, and never rounds an integer in silence", () => {
    const value = (hex: string) => parsed(ofHex(`a4 6176 02 6174 01 6374746c 01 646d657461 a1 6178 ${hex}`)).meta["x"]
    assert.strictEqual(value("1b 001fffffffffffff"), Number.MAX_SAFE_INTEGER)
    assert.strictEqual(value("1b ffffffffffffffff"), "18446744073709551615")
    assert.strictEqual(value("3b ffffffffffffffff"), "-18446744073709551616")
    assert.strictEqual(value("20"), -1)
    assert.strictEqual(value("f9 3e00"), 1.5)
    assert.strictEqual(value("f9 0001"), 2 ** -24)
    assert.strictEqual(value("f9 7c00"), null)
    assert.strictEqual(value("fa 3fc00000"), 1.5)
    assert.strictEqual(value("fb 3ff8000000000000"), 1.5)
    assert.deepStrictEqual(value("85 f4 f5 f6 f7 426f6b"), [false, true, null, null, "ok"])
  })

  it.each<readonly [string, string, AccessToken.InvalidToken["problem"], number | undefined]>([
    ["text that is no base64", "not a token!", "NotBase64", undefined],
    ["nothing", "", "NotBase64", undefined],
    ["base64 of an impossible length", "p0F2A", "NotBase64", undefined],
    ["padding in the middle", "p0F2=AkF0", "NotBase64", undefined],
    ["a JSON Web Token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x", "NotBase64", undefined],
    ["a token that is cut", recorded.oneMinute.slice(0, 100), "NotCbor", 75],
    ["bytes behind the end", ofHex("a3 6176 02 6174 01 6374746c 01 00 00"), "BytesLeftOver", 12],
    ["a list", ofHex("80"), "WrongField", undefined],
    ["no version", ofHex("a1 6174 01"), "NoVersion", undefined],
    ["another version", ofHex("a1 6176 03"), "UnknownVersion", undefined],
    ["a version that is no number", ofHex("a1 6176 6132"), "UnknownVersion", undefined],
    ["no time", ofHex("a1 6176 02"), "WrongField", undefined],
    ["a time that is text", ofHex("a2 6176 02 6174 6131"), "WrongField", undefined],
    ["a time after the year 9999", ofHex("a2 6176 02 6174 1b 001fffffffffffff"), "WrongField", undefined],
    ["a ttl that is negative", ofHex("a3 6176 02 6174 01 6374746c 20"), "WrongField", undefined],
    ["a user that is a number", ofHex("a4 6176 02 6174 01 6374746c 01 6475756964 01"), "WrongField", undefined],
    ["resources that are a list", ofHex("a4 6176 02 6174 01 6374746c 01 63726573 80"), "WrongField", undefined],
    [
      "a right that is text",
      ofHex("a4 6176 02 6174 01 6374746c 01 63726573 a1 6463 68616e a1 6161 6131"),
      "WrongField",
      undefined
    ],
    ["an indefinite length", ofHex("bf ff"), "NotCbor", 0],
    ["a tag", ofHex("c0 00"), "NotCbor", 0],
    ["a list that claims four billion items", ofHex("9a ffffffff"), "NotCbor", 5],
    ["text that claims 2^64 bytes", ofHex("7b ffffffffffffffff 61"), "NotCbor", 10],
    ["text that is not UTF-8", ofHex("a1 61ff 00"), "NotCbor", 2],
    ["a key that is a list", ofHex("a1 80 00"), "NotCbor", 1]
  ])("refuses %s, and says what is wrong", (_, text, problem, offset) => {
    const error = problemOf(text)
    assert.deepStrictEqual([error._tag, error.problem, error.offset], ["InvalidToken", problem, offset])
    if (text.length > 8) assert.notInclude(error.message, text)
  })

  it("refuses a token that is not redacted text", () => {
    for (const wrong of ["text", undefined, Redacted.make(5)]) {
      const result = AccessToken.parse(wrong as unknown as Redacted.Redacted)
      assert.strictEqual(Result.isFailure(result) && result.failure.problem, "NotText")
    }
  })

  it("refuses a megabyte of nesting at once", () => {
    const nested = Base64Url.encode(new Uint8Array(1_000_000).fill(0x81))
    assert.strictEqual(problemOf(nested).problem, "TooLarge")
    for (const head of [0x81, 0xa1]) {
      const error = problemOf(Base64Url.encode(new Uint8Array(49_000).fill(head)))
      assert.deepStrictEqual([error.problem, error.description], ["NotCbor", "it has more than 32 levels"])
    }
  })

  it("gives what its schema describes", () => {
    const token = parsed(recorded.everything)
    const json = Schema.toCodecJson(AccessToken.AccessToken)
    const text = JSON.stringify(Schema.encodeSync(json)(token))
    assert.deepStrictEqual(Schema.decodeSync(json)(JSON.parse(text)), token)
  })
})
