import { assert, describe, it } from "@effect/vitest"
import * as Text from "../../src/internal/text.ts"

describe("Text.bounded", () => {
  it("leaves a short text, and cuts a long one", () => {
    assert.strictEqual(Text.bounded("short"), "short")
    assert.strictEqual(Text.bounded("x".repeat(1_024)), "x".repeat(1_024))
    assert.strictEqual(Text.bounded("x".repeat(30_000)), `${"x".repeat(1_023)}…`)
    assert.strictEqual(Text.bounded("abcdef", 4), "abc…")
  })

  it("does not cut within a surrogate pair", () => {
    assert.isTrue(Text.bounded("😀".repeat(3), 4).isWellFormed())
  })
})

describe("Text.sentence", () => {
  it.each([
    ["Not found", "Not found."],
    ["Not found.", "Not found."],
    ["Not found: ", "Not found."],
    ["Is it escaped?", "Is it escaped?"],
    ["", "."]
  ])("turns %j into %j", (text, sentence) => assert.strictEqual(Text.sentence(text), sentence))
})

describe("Text.complaint", () => {
  it("joins a message and its details into one sentence", () => {
    const details = [{ message: "Malformed expression.", location: "filter" }, { message: "Too long" }]
    assert.strictEqual(
      Text.complaint("Invalid input.", details),
      "Invalid input: filter Malformed expression; Too long."
    )
    assert.strictEqual(Text.complaint("Invalid input.", []), "Invalid input.")
    assert.strictEqual(Text.complaint("", details), "filter Malformed expression; Too long.")
  })
})

describe("Text.ofDefect", () => {
  it("shows the kind and message of an error, or the type of another value", () => {
    assert.strictEqual(Text.ofDefect(new SyntaxError("Cannot convert x")), "SyntaxError: Cannot convert x")
    assert.strictEqual(Text.ofDefect("oops"), "oops")
    assert.strictEqual(Text.ofDefect({ secret: 1 }), "a value of type object was thrown")
    assert.strictEqual(Text.ofDefect(undefined), "a value of type undefined was thrown")
  })

  it("limits its length, and does not throw for a hostile error", () => {
    assert.isAtMost(Text.ofDefect(new Error("x".repeat(1_000_000))).length, 1_024)
    assert.isAtMost(Text.ofDefect("x".repeat(1_000_000)).length, 1_024)
    const hostile = new Error("a")
    Object.defineProperty(hostile, "message", {
      get: () => {
        throw new Error("b")
      }
    })
    assert.strictEqual(Text.ofDefect(hostile), "it cannot be told what was thrown")
    assert.isString(Text.ofDefect(Object.defineProperty(new Error("a"), "message", { value: Symbol("s") })))
  })

  it("hides addresses, queries and the given secrets", () => {
    const told = Text.ofDefect(
      new Error(
        "GET https://ps.pndsn.com/publish/p/s/0/a/0/%22private%22?auth=t0k%2Fen failed: t0k/en, t0k%2Fen; /x?signature=v2.abc"
      ),
      ["t0k/en", ""]
    )
    assert.strictEqual(told, "Error: GET {address} failed: {secret}, {secret}; /x?{query}")
    assert.isAtMost(Text.ofDefect(new Error(`${"x".repeat(1_020)}t0k/en`), ["t0k/en"]).indexOf("t0k"), -1)
  })
})

describe("Text.told", () => {
  const secret = "sk&3/cr\"et+K e y"
  const bytes = new TextEncoder().encode(secret)
  const base64 = btoa(String.fromCharCode(...bytes))
  const forms: ReadonlyArray<readonly [string, string]> = [
    ["as it is", secret],
    ["percent-encoded", encodeURIComponent(secret)],
    ["with small hexadecimal digits", encodeURIComponent(secret).toLowerCase()],
    ["encoded twice", encodeURIComponent(encodeURIComponent(secret))],
    ["as a form has it", encodeURIComponent(secret).replaceAll("%20", "+")],
    ["in JSON", JSON.stringify(secret)],
    ["in HTML", "sk&amp;3/cr&quot;et+K e y"],
    ["in base64", base64],
    ["in base64 without padding", base64.replaceAll("=", "")],
    ["in base64url", base64.replaceAll("+", "-").replaceAll("/", "_")],
    ["in base64, percent-encoded", encodeURIComponent(base64)],
    ["in JSON of PHP", JSON.stringify(secret).replaceAll("/", "\\/")],
    ["in JSON of Go", JSON.stringify(secret).replaceAll("&", "\\u0026").replaceAll("+", "\\u002B")],
    ["in JSON in JSON", JSON.stringify(JSON.stringify(secret)).slice(1, -1).replaceAll("\\\"", "\"")],
    ["with every character percent-encoded", secret.replace(/./g, (c) => `%${c.charCodeAt(0).toString(16)}`)],
    ["with some characters percent-encoded", encodeURIComponent(secret).replace("c", "%63")],
    ["with numbers in HTML", secret.replace(/\W/g, (c) => `&#${c.charCodeAt(0)};`)],
    ["with hexadecimal numbers in HTML", secret.replace(/\W/g, (c) => `&#x${c.charCodeAt(0).toString(16)};`)],
    ["encoded three times", encodeURIComponent(encodeURIComponent(encodeURIComponent(secret)))]
  ]

  it.each(forms)("hides a secret %s", (_, form) => {
    assert.match(Text.told(`before ${form} after`, [secret]), /^before "?\{secret\}[="]*(%3D)* after$/)
  })

  it.each(["x", "xy", "xyz", "user:"])("hides a secret behind %s in base64", (before) => {
    assert.match(Text.told(btoa(`${before}0123456789abcdef:more`), ["0123456789abcdef"]), /^.{0,8}\{secret\}.{0,10}$/)
  })

  it("hides a secret that contains escapes, and one that is not ASCII", () => {
    for (const secret of ["a%41b\\u0041&amp;c", "pässwörd-😀-ключ"]) {
      for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]) {
        assert.strictEqual(Text.told(`a ${form} b`, [secret]), "a {secret} b")
      }
    }
  })

  it.each([10_000, 32_000, 1_000_000])(
    "hides a secret of %i characters, also when the text is cut within it",
    (size) => {
      const secret = Array.from({ length: size }, (_, index) => "aZ0+/=-_%&"[(index * index + index) % 97 % 10]).join(
        ""
      )
      for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret)]) {
        for (const text of [form, `${form.slice(0, 900)}…`, `${form.slice(0, 500)}: too long`]) {
          assert.match(Text.told(`got ${text}`, [secret]), /^got "?\{secret\}%?"?…?(: too long)?$/)
        }
      }
    }
  )

  it("hides the half of an escape when the text is cut within a secret", () => {
    const secret = "t0ken/é&of+all"
    for (const form of [encodeURIComponent(secret), encodeURIComponent(encodeURIComponent(secret))]) {
      for (let size = 4; size < form.length; size++) {
        assert.strictEqual(Text.told(`a ${form.slice(0, size)}…`, [secret]), "a {secret}…", form.slice(0, size))
      }
    }
  })

  it("hides each line of a secret with several lines", () => {
    const key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nZm9vYmFyYmF6cXV4MTIzNDU2\n"
    assert.strictEqual(Text.told("got Zm9vYmFyYmF6cXV4MTIzNDU2!", [key]), "got {secret}!")
  })

  const named: ReadonlyArray<readonly [string, string]> = [
    ["x&auth=abc&y=1", "x&auth={secret}&y=1"],
    ["x&signature=v2.abc_-&y", "x&signature={secret}&y"],
    ["sessionToken=abc; keyManagerToken=def", "sessionToken={secret}; keyManagerToken={secret}"],
    ["{\"token\":\"abc\",\"name\":\"x\"}", "{\"token\":\"{secret}\",\"name\":\"x\"}"],
    ["{\"token\" : [\"abc\"]}", "{\"token\" : [\"{secret}\"]}"],
    ["{\\\"token\\\":\\\"abc\\\"}", "{\\\"token\\\":\\\"{secret}\\\"}"],
    ["{'sessionToken':'abc'}", "{'sessionToken':'{secret}'}"],
    ["Authorization: Bearer abcdefg1", "Authorization: {secret}"],
    ["sessionToken: 0123abcdef", "sessionToken: {secret}"],
    ["got eyJhbGciOiJSUzUxMiJ9.eyJzdWIiOiJib3QifQ.c2ln here", "got {secret} here"],
    ["GET https://h/publish/p/s/0/a/0/%22x%22?auth=1 failed", "GET {address} failed"],
    ["/v2/x?a=1&b=2 failed", "/v2/x?{query} failed"],
    ["Invalid token: expired", "Invalid token: expired"],
    ["Token is revoked", "Token is revoked"],
    ["Signature Does Not Match", "Signature Does Not Match"]
  ]
  it.each(named)("turns %s into %s", (text, told) => assert.strictEqual(Text.told(text), told))

  it("hides the part of a secret when the text is cut within it", () => {
    assert.notInclude(Text.told(`${"x".repeat(1_020)}t0k/en-of-all`, ["t0k/en-of-all"]), "t0k")
    assert.strictEqual(Text.told("a t0k/en-…", ["t0k/en-of-all"]), "a {secret}…")
    for (let before = 16_350; before < 16_390; before++) {
      // The address before it is told in a few letters, so that the end of what is looked at comes to light.
      const text = `https://h/${"x".repeat(before)} t0k/en-of-all and more`
      assert.notMatch(Text.told(text, ["t0k/en-of-all"]), /t0k\/|n-of/, String(before))
    }
  })

  it("ignores secrets that are too short", () => {
    assert.strictEqual(Text.told("a b a", ["", "a"]), "a b a")
  })

  it("replaces control characters, and limits the length", () => {
    assert.strictEqual(
      Text.told("a\u001b]0;title\u0007\u001b[2Jb\r\n\tc\u009b\u007f\u0000\u202ed\u2066e\u2028f"),
      "a\uFFFD]0;title\uFFFD\uFFFD[2Jb c\uFFFD\uFFFD\uFFFD\uFFFDd\uFFFDe f"
    )
    assert.isAtMost(Text.told("\u001b".repeat(5_000_000)).length, 1_024)
    assert.isTrue(Text.told("\ud800".repeat(9)).isWellFormed())
  })

  const long = 5_000_000
  it.each(
    ["a", ".", "=", "/", "?a", "a:", "token", "token:", "auth= ", "eyJ", "a://", "\"", "{\"token\":", "%25", "a.", " "]
  )("reads five million characters of %j in time", (part) => {
    const began = performance.now()
    Text.told(part.repeat(long / part.length), ["t0k/en-of-all", "a".repeat(100_000), part.repeat(20_000)])
    assert.isBelow(performance.now() - began, 2_500)
  })
})

describe("Text.quoted", () => {
  it.each([
    ["room \"1\"", "\"room \\\"1\\\"\""],
    ["a\nb\u202ec\u009bd", "\"a\\nb\\u202ec\\u009bd\""],
    ["x".repeat(300), `"${"x".repeat(199)}…"`]
  ])(
    "shows %j bounded and without what a terminal obeys",
    (name, shown) => assert.strictEqual(Text.quoted(name), shown)
  )
})

describe("Text.harmlessJson", () => {
  it("keeps the meaning, and has no control characters", () => {
    const value = { "a\u202e": "\u001b[2J\u009b\u007f\n", b: "\ufeff😀" }
    const json = Text.harmlessJson(JSON.stringify(value))
    assert.deepStrictEqual(JSON.parse(json), value)
    assert.match(json, /^[\x20-\x7e😀]+$/u)
  })
})
