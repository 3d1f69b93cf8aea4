/** Decodes a stream of base64, cut anywhere, with or without line breaks. */
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"

const end = Symbol()

interface State {
  /** Characters that are not decoded yet: fewer than four. */
  readonly rest: string
  /** Whether there was padding. Nothing may follow it. */
  readonly isOver: boolean
}

/** Decodes to bytes. Fails with a sentence if the text is not base64, or is cut short. */
export const decode =
  <E2>(failure: (description: string) => E2) =>
  <E, R>(stream: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, E | E2, R> =>
    Stream.decodeText(stream).pipe(
      Stream.concat(Stream.succeed(end)),
      Stream.mapAccumEffect((): State => ({ rest: "", isOver: false }), ({ isOver, rest }, piece) => {
        if (piece === end) {
          return rest === "" ? Effect.succeed([{ rest, isOver }, []]) : Effect.fail(failure("the file is cut short"))
        }
        const text = rest + piece.replace(/\s+/g, "")
        const whole = text.slice(0, text.length - text.length % 4)
        const decoded = Base64.decode(whole)
        return Result.isFailure(decoded) || isOver && text !== ""
          ? Effect.fail(failure("the file is not base64"))
          : Effect.succeed([
            { rest: text.slice(whole.length), isOver: isOver || whole.endsWith("=") },
            whole === "" ? [] : [decoded.success]
          ])
      })
    )
