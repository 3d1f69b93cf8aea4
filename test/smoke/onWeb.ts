/** The program where only the web's own interfaces are: in a page and in a worker. */
import { FetchHttpClient } from "effect/http"
import { PubNubEmulator } from "effect-herald/testing"
import { report } from "./program.ts"

/** Runs the program. */
export const run = (place: string, origin: string): Promise<string> =>
  report(place, origin, { emulator: PubNubEmulator.layer(), fetch: FetchHttpClient.layer })

/** A worker: `/?place&origin` runs the program. */
export default {
  fetch: async (request: Request): Promise<Response> => {
    const { searchParams } = new URL(request.url)
    return new Response(await run(searchParams.get("place") ?? "", searchParams.get("origin") ?? ""))
  }
}
