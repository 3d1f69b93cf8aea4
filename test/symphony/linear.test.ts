/** Long input takes time in proportion to its length, whatever is in it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { Ids, MessageML, SymphonyConfig } from "effect-herald/symphony"
import * as ConfigFile from "../../src/symphony/internal/config/configFile.ts"
import * as Content from "../../src/symphony/internal/wire/content.ts"
import * as Multipart from "../../src/internal/multipart.ts"
import * as Pem from "../../src/symphony/internal/config/pem.ts"

const many = 80_000

const file = (json: unknown) =>
  ConfigFile.read("bot.json").pipe(
    Effect.provide(
      Layer.merge(
        Path.layer,
        FileSystem.layerNoop({ readFileString: () => Effect.succeed(JSON.stringify(json)) })
      )
    ),
    Effect.exit
  )

const readings: ReadonlyArray<readonly [string, Effect.Effect<unknown, unknown>]> = [
  ["an id of = with a letter behind", Effect.sync(() => Ids.issue(`${"=".repeat(many)}x`))],
  ["an id of = alone", Effect.sync(() => Ids.toStandard("=".repeat(many)))],
  ["slashes within a context path", Effect.sync(() => SymphonyConfig.make({ context: `a${"/".repeat(many)}a` }))],
  ["a host of many labels", Effect.sync(() => SymphonyConfig.make({ host: `${"a-.".repeat(many)}!` }))],
  ["a placeholder with many defaults that does not end", file({ host: `\${${":-".repeat(many)}` })],
  ["placeholders", file({ host: "${HERALD_NO_SUCH_NAME:-b}".repeat(16_000) })],
  ["placeholders that do not end", file({ host: "${a:-".repeat(16_000) })],
  [
    "a key that says over and over that it may be encrypted",
    Effect.sync(() =>
      Pem.read(`-----BEGIN RSA PRIVATE KEY-----${"Proc-Type:".repeat(many)}-----END RSA PRIVATE KEY-----`)
    )
  ],
  ["the beginnings of many keys", Effect.sync(() => Pem.read("-----BEGIN A-----".repeat(many)))],
  ["a name of dots", Effect.sync(() => Multipart.typeOf(`${"a.".repeat(many)}!`))],
  ["markup with many references", Effect.exit(Content.wrap("&a;".repeat(many)))],
  ["markup with a root that does not end", Effect.exit(Content.wrap(`<messageML${" ".repeat(many)}`))],
  ["a message of many paragraphs", MessageML.read({ message: `<div>${"<p> a </p> ".repeat(many)}</div>` })],
  ["a message of many line breaks", MessageML.read({ message: `<div>${"<br/> ".repeat(many)}a</div>` })]
]

describe("long input", () => {
  it.effect.each(readings)("is read within two seconds: %s", ([, read]) =>
    Effect.gen(function*() {
      const begin = performance.now()
      yield* read
      assert.isBelow(performance.now() - begin, 2_000)
    }), 120_000)
})
