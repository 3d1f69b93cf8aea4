import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as PubNubEmulatorServer from "effect-herald/node/PubNubEmulatorServer"
import * as SymphonyEmulatorServer from "effect-herald/node/SymphonyEmulatorServer"
import { chromium, skipped } from "../kit/chromium.ts"
import * as Page from "./page.ts"

describe(`a page of a browser${skipped}`, () => {
  const live = it.live.skipIf(chromium === undefined)

  live("publishes and subscribes with this package, from another origin of this machine", () =>
    Effect.gen(function*() {
      const { emulator, origin } = yield* PubNubEmulatorServer.PubNubEmulatorServer
      yield* emulator.deny({ channels: ["no"] })
      const told = yield* Page.open(
        "localhost",
        `
        const Effect = await import("effect/Effect")
        const Layer = await import("effect/Layer")
        const Stream = await import("effect/Stream")
        const FetchHttpClient = await import("effect/http/FetchHttpClient")
        const PubNubConfig = await import("effect-herald/pubnub/PubNubConfig")
        const Publish = await import("effect-herald/pubnub/Publish")
        const Subscribe = await import("effect-herald/pubnub/Subscribe")
        const Users = await import("effect-herald/pubnub/Users")
        const config = PubNubConfig.layer({
          subscribeKey: "demo-sub", publishKey: "demo-pub", userId: "page", origin: "${origin}", tls: false
        })
        const send = Effect.gen(function*() {
          for (const method of ["GET", "POST"]) yield* Publish.publish({ channel: "a", message: { method }, method })
          yield* Publish.publish({ channel: "a", message: "x".repeat(16500) })
          // With a preflight: a PATCH of JSON.
          yield* Users.set({ id: "page", name: "Page" })
        })
        const heard = Subscribe.stream({ channels: ["a"] }).pipe(
          Stream.tap((event) => event._tag === "Connected" ? send : Effect.void),
          Stream.filter((event) => event._tag === "Message"),
          Stream.take(3),
          Stream.runCollect
        )
        const refused = Publish.publish({ channel: "no", message: 1 }).pipe(Effect.flip)
        return await Effect.runPromise(Effect.all([heard, refused]).pipe(
          Effect.map(([heard, { reason, _tag }]) => ({
            heard: heard.map(({ payload }) => typeof payload === "string" ? payload.length : payload),
            refused: (reason ?? {})._tag ?? _tag
          })),
          Effect.provide(Layer.merge(config, FetchHttpClient.layer))
        ))
        `
      ).pipe(
        Effect.race(
          Effect.andThen(Effect.sleep("50 seconds"), Effect.map(emulator.requests, (requests) => ({ requests })))
        )
      )
      assert.deepStrictEqual(told, {
        told: { heard: [{ method: "GET" }, { method: "POST" }, 16_500], refused: "AccessDenied" }
      })
      assert.deepStrictEqual((yield* emulator.users).map(({ name }) => name), ["Page"])
      assert.include((yield* emulator.requests).map(({ method }) => method), "OPTIONS")
    }).pipe(Effect.provide(PubNubEmulatorServer.layer())), 60_000)

  live(
    "sends a file and downloads it, whole, streamed and encrypted, from another origin of this machine",
    () =>
      Effect.gen(function*() {
        const { emulator, origin } = yield* PubNubEmulatorServer.PubNubEmulatorServer
        const told = yield* Page.open(
          "localhost",
          `
        const Effect = await import("effect/Effect")
        const Layer = await import("effect/Layer")
        const Redacted = await import("effect/Redacted")
        const Stream = await import("effect/Stream")
        const FetchHttpClient = await import("effect/http/FetchHttpClient")
        const Encryption = await import("effect-herald/pubnub/Encryption")
        const Files = await import("effect-herald/pubnub/Files")
        const PubNubConfig = await import("effect-herald/pubnub/PubNubConfig")
        const config = PubNubConfig.layer({
          subscribeKey: "demo-sub", publishKey: "demo-pub", userId: "page", origin: "${origin}", tls: false,
          authToken: Redacted.make("t0ken")
        })
        const channel = "a b/ü"
        const bytes = new Uint8Array(300_000).map((_, index) => index % 251)
        const isSame = (other) => other.length === bytes.length && other.every((byte, index) => byte === bytes[index])
        const plain = Effect.gen(function*() {
          const file = yield* Files.send({ channel, name: "ä #1.bin", content: new Blob([bytes]) })
          const whole = yield* Files.downloadBytes(file)
          const streamed = yield* Stream.runFold(Files.download(file), () => 0, (sum, { length }) => sum + length)
          const note = yield* Files.send({ channel, name: "n.txt", content: "hi ☃" })
          const text = yield* Files.downloadText(note)
          const gone = yield* Files.remove(note).pipe(Effect.andThen(Effect.flip(Files.downloadText(note))))
          const large = yield* Effect.flip(Files.downloadBytes(file, { maxSize: 1_000 }))
          return [isSame(whole), streamed, text, gone._tag, large._tag]
        })
        const encrypted = Effect.gen(function*() {
          const file = yield* Files.send({ channel, name: "secret", content: bytes })
          return isSame(yield* Files.downloadBytes(file))
        }).pipe(Effect.provide(Encryption.layer({ key: Redacted.make("k") })))
        return await Effect.runPromise(
          Effect.all([plain, encrypted]).pipe(Effect.provide(Layer.merge(config, FetchHttpClient.layer)))
        )
        `
        )
        assert.deepStrictEqual(told, {
          told: [[true, 300_000, "hi ☃", "FileNotFound", "FileTooLarge"], true]
        })
        // The storage gets no token.
        const stored = (yield* emulator.requests).filter(({ target }) => target.startsWith("/_storage"))
        assert.isNotEmpty(stored)
        assert.isTrue(stored.every(({ target }) => !target.includes("t0ken")))
      }).pipe(Effect.provide(PubNubEmulatorServer.layer())),
    60_000
  )

  live("asks Symphony with its own headers, from another origin of this machine", () =>
    Effect.gen(function*() {
      const { url } = yield* SymphonyEmulatorServer.SymphonyEmulatorServer
      const told = yield* Page.open(
        "localhost",
        `
        const info = await fetch("${url}/agent/v1/info")
        const feeds = await fetch("${url}/agent/v5/datafeeds", {
          method: "DELETE", headers: { sessionToken: "x", keyManagerToken: "y", "content-type": "application/json" }
        })
        return [info.status, (await info.json()).version, feeds.status]
        `
      )
      assert.deepStrictEqual(told, { told: [200, "Agent-25.8.1-Linux", 405] })
    }).pipe(Effect.provide(SymphonyEmulatorServer.layer())), 60_000)

  live("of a foreign site neither reads nor writes, whatever host it asks", () =>
    Effect.gen(function*() {
      const { emulator, port } = yield* PubNubEmulatorServer.PubNubEmulatorServer
      const told = yield* Page.open(
        "evil.example",
        `
        const publish = "/publish/demo-pub/demo-sub/0/a/0/1?uuid=evil"
        const outcome = (asked) => asked.then(({ status, type }) => [status, type], ({ name }) => [name])
        const image = (url) => new Promise((resolve) => {
          const image = new Image()
          image.onload = image.onerror = () => resolve()
          image.src = url
        })
        const outcomes = []
        for (const host of ["127.0.0.1:${port}", "localhost:${port}", "evil.example:${port}"]) {
          const url = "http://" + host + publish
          outcomes.push(await outcome(fetch(url)))
          await outcome(fetch(url, { mode: "no-cors" }))
          await outcome(fetch(url, { method: "POST", mode: "no-cors", body: "1" }))
          navigator.sendBeacon(url, "1")
          await image(url)
          const frame = document.createElement("iframe")
          frame.src = url
          const loaded = new Promise((resolve) => { frame.onload = resolve })
          document.body.append(frame)
          await loaded
        }
        await new Promise((resolve) => setTimeout(resolve, 500))
        return outcomes
        `
      )
      assert.deepStrictEqual(told, { told: [["TypeError"], ["TypeError"], ["TypeError"]] })
      assert.deepStrictEqual(yield* emulator.messages({ channel: "a" }), [])
      assert.deepStrictEqual(yield* emulator.requests, [])
    }).pipe(Effect.provide(PubNubEmulatorServer.layer())), 60_000)
})
