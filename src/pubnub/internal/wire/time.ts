/**
 * The request for the service's time.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Codec from "../../../internal/codec.ts"
import { Timetoken } from "../../Timetoken.ts"
import type * as Endpoint from "./endpoint.ts"
import { path } from "./path.ts"

const decodeTuple = Codec.decodeBySchema(Schema.Tuple([Timetoken]))

/** It needs no keys. */
export const endpoint = (): Endpoint.Endpoint<Timetoken> => ({
  operation: "Time.now",
  path: path`/time/0`,
  credential: "none",
  decode: (json) => Result.map(decodeTuple(json), ([timetoken]) => timetoken)
})
