/** `herald access` against an emulator with Access Manager: what it prints, and what it says of wrong input. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { emulated } from "../../kit/emulated.ts"
import { herald } from "../kit.ts"

const keysets = [{ subscribeKey: "demo-sub", publishKey: "demo-pub", secretKey: "sec" }] as const

const service = Effect.provide(emulated({ emulator: { addOns: { accessManager: true }, keysets } }))

const asServer = (...args: ReadonlyArray<string>) =>
  herald(["access", ...args], { environment: { PUBNUB_SECRET_KEY: "sec" } })

const withToken = (token: string, ...args: ReadonlyArray<string>) =>
  herald(args, { environment: { PUBNUB_AUTH_TOKEN: token, PUBNUB_USER_ID: "ada" } })

const granted = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
  const { exitCode, stderr, stdout } = yield* asServer("grant", ...args)
  assert.deepStrictEqual([exitCode, stderr, stdout.length], [0, [], 1])
  return stdout[0] ?? ""
})

describe("access", () => {
  it.effect("grants a token that does what its flags say, and revokes it", () =>
    Effect.gen(function*() {
      const rights = [
        "--channel a=b=read",
        "--channel a=b=write,read",
        "--group g=manage",
        "--user ada=get,update",
        "--channel-pattern ^room-[0-9]+$=read",
        "--group-pattern ^g-.*$=read",
        "--user-pattern ^u.$=delete",
        "--category users=get",
        "--category users=get"
      ].flatMap((flag) => flag.split(" "))
      const token = yield* granted("--ttl", "2 hours", "--authorized-user", "ada", "--meta", "{\"team\":1}", ...rights)
      assert.deepStrictEqual((yield* withToken(token, "access", "parse")).stdout, [
        "granted 2026-09-21T14:13:20.000Z for 120 minutes, expires 2026-09-21T16:13:20.000Z",
        "user: ada",
        "name of channels a=b: read, write",
        "name of groups g: manage",
        "name of users ada: get, update",
        "pattern of channels ^room-[0-9]+$: read",
        "pattern of groups ^g-.*$: read",
        "pattern of users ^u.$: delete",
        "all users: get",
        "meta: {\"team\":1}"
      ])
      const json = JSON.parse((yield* herald(["access", "parse", "--json"], { stdin: `${token}\n` })).stdout.join(""))
      assert.deepInclude(json, { ttlMinutes: 120, user: "ada", meta: { team: 1 } })
      assert.strictEqual((yield* withToken(token, "publish", "a=b", "1")).exitCode, 0)
      assert.deepStrictEqual(
        (yield* herald(["access", "revoke"], {
          environment: { PUBNUB_SECRET_KEY: "sec" },
          stdin: token
        })).stdout,
        ["revoked"]
      )
      assert.strictEqual((yield* withToken(token, "publish", "a=b", "1")).exitCode, 3)
    }).pipe(service))

  it.effect("explains a refusal before and after the call, with exit code 3", () =>
    Effect.gen(function*() {
      const token = yield* granted("--authorized-user", "ada", "--channel", "a=read")
      const missing = "The token has read on the channel \"a\", but not write. Grant write, too."
      const before = yield* withToken(token, "access", "explain", "Publish.publish", "--channel", "a")
      assert.deepStrictEqual([before.exitCode, before.stdout], [3, [missing]])
      const after = yield* withToken(token, "publish", "a", "1")
      assert.strictEqual(after.exitCode, 3)
      assert.include(after.stderr.join("\n"), missing)
      const allowed = yield* withToken(token, "access", "explain", "Subscribe.stream", "--channel", "a", "--json")
      assert.strictEqual(allowed.exitCode, 0)
      assert.strictEqual(JSON.parse(allowed.stdout.join(""))._tag, "Allowed")
      const other = yield* herald(["access", "explain", "Publish.publish", "--channel", "a", "--user-id", "bob"], {
        stdin: token
      })
      assert.include(other.stdout.join("\n"), "Only the user \"ada\" may use the token, and this is \"bob\".")
    }).pipe(service))

  it.effect.each<readonly [ReadonlyArray<string>, string]>([
    [[], "a grant needs a right"],
    [["--channel", "a"], "Expected: name=rights, with rights of read"],
    [["--channel", "a=fly"], "Expected: name=rights, with rights of read"],
    [["--group", "a=write"], "with rights of read, manage"],
    [["--user", "=get"], "Expected: name=rights"],
    [["--category", "channels"], "Expected: channels|users=rights, with rights of get"],
    [["--category", "channels=update"], "Expected: channels|users=rights, with rights of get"],
    [["--category", "groups=get"], "Expected: channels|users=rights, with rights of get"],
    [["--category", "users\n=get"], "Expected: channels|users=rights, with rights of get"],
    [["--category", "__proto__=get"], "Expected: channels|users=rights, with rights of get"],
    [["--category", "=get"], "Expected: channels|users=rights, with rights of get"],
    [["--channel", "a*=read"], "--channel \"a*\" has *"],
    [["--channel-pattern", "a=read"], "--channel-pattern \"a\" is found anywhere in a name"],
    [["--user-pattern", "^($=get"], "--user-pattern \"^($\""],
    [["--channel", "a=read", "--ttl", "31 days"], "--ttl is not a duration of 1 to 43200 whole minutes"],
    [["--channel", "a=read", "--ttl", "90 seconds"], "--ttl is not a duration"],
    [["--channel", "a=read", "--meta", "[]"], "Expected: a JSON object"],
    [["--channel", "a=read", "--authorized-user", ""], "--authorized-user"]
  ])("refuses the grant %j, and sends nothing", ([args, message]) =>
    Effect.gen(function*() {
      const { exitCode, stderr, stdout } = yield* asServer("grant", ...args)
      assert.deepStrictEqual([exitCode, stdout], [2, []])
      assert.include(stderr.join("\n"), message)
    }).pipe(service))

  it.effect("needs a secret key to grant and to revoke, and a token to revoke, parse and explain", () =>
    Effect.gen(function*() {
      const unsigned = yield* herald(["access", "grant", "--channel", "a=read"])
      assert.strictEqual(unsigned.exitCode, 3)
      assert.include(unsigned.stderr.join("\n"), "Check --secret-key or PUBNUB_SECRET_KEY")
      for (const args of [["revoke"], ["parse"], ["explain", "Publish.publish", "--channel", "a"]]) {
        const none = yield* asServer(...args)
        assert.strictEqual(none.exitCode, 2)
        assert.include(none.stderr.join("\n"), "There is no token: set PUBNUB_AUTH_TOKEN, or pass it on standard input")
      }
      for (const args of [["parse"], ["explain", "Publish.publish", "--channel", "a"]]) {
        const { exitCode, stderr } = yield* herald(["access", ...args], { stdin: "t0ken" })
        assert.deepStrictEqual([exitCode, stderr.length], [2, 1])
        assert.include(stderr.join("\n"), "This is not an access token")
      }
      const unknown = yield* herald(["access", "explain", "Nothing.at"], { stdin: "t0ken" })
      assert.include(unknown.stderr.join("\n"), "Invalid value for argument <function>")
    }).pipe(service))
})
