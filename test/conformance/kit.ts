/**
 * The conformance kit: data that lies beside the checkout, not in it. Where it is absent there is nothing to test with.
 */
import * as Schema from "effect/Schema"
import { existsSync, readdirSync, readFileSync } from "node:fs"

const folder = new URL("../../../shared/conformance/", import.meta.url)

/** Whether the kit is here. */
export const isPresent = existsSync(folder)

const Names = Schema.Union([Schema.String, Schema.Array(Schema.String)])

const Request = Schema.Struct({
  method: Schema.String,
  path: Schema.String,
  query: Schema.Record(Schema.String, Names),
  headers: Schema.Record(Schema.String, Schema.String),
  bodyEncoding: Schema.optionalKey(Schema.String),
  rawBody: Schema.optionalKey(Schema.NullOr(Schema.String)),
  rawTarget: Schema.String,
  rawTargetComplete: Schema.Boolean,
  template: Schema.String,
  host: Schema.optionalKey(Schema.String)
})

const Response = Schema.Struct({
  status: Schema.Int,
  headers: Schema.Record(Schema.String, Schema.String),
  rawBody: Schema.optionalKey(Schema.NullOr(Schema.String))
})

/** One request and its answer. */
export type Exchange = typeof Exchange.Type
const Exchange = Schema.Struct({ request: Request, response: Response })

/** What several clients and the service said to each other in one test of another library. */
export type Cassette = typeof Cassette.Type
const Cassette = Schema.Struct({
  name: Schema.String,
  class: Schema.String,
  keys: Schema.Struct({ subscribe: Schema.optionalKey(Names), publish: Schema.optionalKey(Names) }),
  interactions: Schema.Array(Exchange)
})

const read = <S extends Schema.ConstraintCodec<unknown, unknown, never, never>>(schema: S, path: string): S["Type"] =>
  Schema.decodeSync(Schema.fromJsonString(schema))(readFileSync(new URL(path, folder), "utf8"))

/** The classes of cassettes. */
export const classes = (): ReadonlyArray<string> => readdirSync(new URL("cassettes/", folder))

/** Every cassette of a class. */
export const cassettes = (name: string): ReadonlyArray<Cassette> =>
  readdirSync(new URL(`cassettes/${name}/`, folder)).map((file) => read(Cassette, `cassettes/${name}/${file}`))

const Target = Schema.Struct({
  channels: Schema.Array(Schema.String),
  groups: Schema.optionalKey(Schema.Array(Schema.String))
})

/** A subscribe envelope and what it is. */
export type EventCase = typeof EventCase.Type
const EventCase = Schema.Struct({
  kind: Schema.String,
  variant: Schema.optionalKey(Schema.String),
  subscribedTo: Schema.optionalKey(Target),
  origin: Schema.Literals(["recorded", "captured", "mock"]),
  envelope: Schema.Json
})

/** One envelope of each kind and variant. */
export const events = (): ReadonlyArray<EventCase> => read(Schema.Array(EventCase), "events.json")

const Observed = Schema.Struct({
  method: Schema.String,
  path: Schema.String,
  query: Schema.Record(Schema.String, Names),
  headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  body: Schema.optionalKey(Schema.Json),
  rawTarget: Schema.String
})

/** A request that the JavaScript client was seen to make. */
export type Observed = typeof Observed.Type

/** What the JavaScript client did and made of the answer. */
export type Expectation = typeof Expectation.Type
const Expectation = Schema.Struct({
  case: Schema.String,
  api: Schema.String,
  request: Schema.optionalKey(Schema.NullOr(Observed)),
  response: Schema.optionalKey(Schema.NullOr(Schema.Struct({
    status: Schema.Int,
    headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
    body: Schema.optionalKey(Schema.Json)
  }))),
  exchanges: Schema.optionalKey(Schema.Array(Schema.Struct({ request: Observed }))),
  expected: Schema.Json,
  signedWith: Schema.optionalKey(Schema.Struct({
    secretKey: Schema.String,
    timestamp: Schema.Int,
    publishKey: Schema.String,
    stringToSign: Schema.String,
    signature: Schema.String
  }))
})

/** All cases of the JavaScript client. */
export const expectations = (): ReadonlyArray<Expectation> =>
  read(Schema.Struct({ cases: Schema.Array(Expectation) }), "js-sdk-expectations.json").cases

const Vectors = Schema.Struct({
  messages: Schema.Array(Schema.Struct({
    scheme: Schema.Literals(["legacy-static", "legacy-random", "acrh"]),
    key: Schema.String,
    plaintext: Schema.String,
    ciphertext: Schema.String,
    iv: Schema.optionalKey(Schema.String)
  })),
  files: Schema.Array(Schema.Struct({
    scheme: Schema.Literals(["legacy-file", "acrh"]),
    key: Schema.String,
    plaintextBase64: Schema.String,
    ciphertextBase64: Schema.String
  })),
  malformed: Schema.Array(Schema.Struct({
    case: Schema.String,
    input: Schema.optionalKey(Schema.String),
    inputBytesBase64: Schema.optionalKey(Schema.String)
  })),
  wire: Schema.Array(Schema.Struct({
    where: Schema.String,
    key: Schema.NullOr(Schema.String),
    ciphertext: Schema.String,
    plaintext: Schema.optionalKey(Schema.String)
  }))
})

/** Ciphertexts, and what they say. */
export const encryption = (): typeof Vectors.Type => read(Vectors, "encryption-vectors.json")
