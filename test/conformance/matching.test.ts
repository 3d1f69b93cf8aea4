/** That the rules of matching let through what may differ, and name what may not. */
import { assert, describe, it } from "@effect/vitest"
import { differences, encodingDifferences, recordedParts, recordedQuery, type Sent } from "./matching.ts"

const publish = "/publish/{pubKey}/{subKey}/0/{channel}/0/{message}"
const subscribe = "/v2/subscribe/{subKey}/{channels}/0"

const recorded = (
  template: string,
  rawTarget: string,
  more: { readonly method?: string; readonly rawBody?: string } = {}
) => {
  const url = new URL(`https://ps.pndsn.com${rawTarget}`)
  return {
    method: "GET",
    path: decodeURIComponent(url.pathname),
    query: Object.fromEntries(url.searchParams),
    headers: {},
    rawTarget,
    rawTargetComplete: true,
    template,
    ...more
  }
}

const sent = (target: string, more: Partial<Sent> = {}): Sent => ({
  method: "GET",
  url: new URL(`https://ps.pndsn.com${target}`),
  body: undefined,
  contentType: undefined,
  ...more
})

describe("matching of requests", () => {
  it("compares messages as JSON, lists as sets and flags by meaning", () => {
    assert.deepStrictEqual(
      differences(
        sent("/publish/p/s/0/ch/0/%7B%22a%22%3A1%2C%22b%22%3A2%7D?norep=true&meta=%7B%22m%22%3A1%7D&uuid=u"),
        recorded(
          publish,
          "/publish/p/s/0/ch/0/%7B%22b%22:2,%20%22a%22:1%7D?norep=1&meta=%7B%22m%22:%201%7D&seqn=1&pnsdk=x"
        )
      ),
      []
    )
    assert.deepStrictEqual(
      differences(
        sent("/v2/subscribe/s/a,b/0?channel-group=g%2Ch&tt=17&tr=1&uuid=u"),
        recorded(
          subscribe,
          "/v2/subscribe/s/b,a/0?channel-group=h,g&t=%7B%22r%22:1,%22t%22:%2217%22%7D&uuid=u&ee=&l_pub=0.1"
        )
      ),
      []
    )
    assert.deepStrictEqual(
      differences(sent("/v2/subscribe/s/a/0?uuid=u"), recorded(subscribe, "/v2/subscribe/s/a/0?tt=0&tr=12&uuid=u")),
      []
    )
  })

  it("names the place of each difference", () => {
    assert.deepStrictEqual(
      differences(
        sent("/publish/p/s/0/ch/0/2?store=1&uuid=u&ttl=1"),
        recorded(publish, "/publish/p/s/0/CH/0/1?store=0&uuid=v", { method: "POST", rawBody: "1" })
      ),
      [
        "method: sent GET, recorded POST",
        "path part 5 ({channel}): sent ch, recorded CH",
        "path part 7 ({message}): sent 2, recorded 1",
        "query store: sent 1, recorded 0",
        "query uuid: sent u, recorded v",
        "query ttl: sent 1, recorded nothing",
        "body: sent none, recorded 1"
      ]
    )
    assert.deepStrictEqual(
      differences(sent("/v2/subscribe/s/a/0?uuid=u"), recorded(subscribe, "/v2/subscribe/s/a,b/0?tt=17&tr=1&uuid=u")),
      [
        "path part 4 ({channels}): sent a, recorded a,b",
        "query tt: sent nothing, recorded 17",
        "query tr: sent nothing, recorded 1"
      ]
    )
    assert.deepStrictEqual(
      differences(sent("/v2/subscribe/s/0"), recorded(subscribe, "/v2/subscribe/s/a/0")),
      ["path: sent /v2/subscribe/s/0, recorded /v2/subscribe/s/a/0"]
    )
  })

  it("compares bodies as JSON, and requires a JSON content type", () => {
    const their = recorded(publish, "/publish/p/s/0/ch/0", { method: "POST", rawBody: "{\"a\": [1, 2]}" })
    const post = { method: "POST", contentType: "application/json" }
    assert.deepStrictEqual(differences(sent("/publish/p/s/0/ch/0", { ...post, body: "{\"a\":[1,2]}" }), their), [])
    assert.deepStrictEqual(
      differences(sent("/publish/p/s/0/ch/0", { method: "POST", body: "{\"a\":[2,1]}" }), their),
      ["body: sent {\"a\":[2,1]}, recorded {\"a\": [1, 2]}", "content-type: sent none"]
    )
  })

  it("compares counts by meaning, parts as sets, and If-Match exactly", () => {
    const channels = "/v2/objects/{subKey}/channels"
    const their = recorded(channels, "/v2/objects/s/channels?count=True&include=custom,status")
    assert.deepStrictEqual(
      differences(sent("/v2/objects/s/channels?count=true&include=status%2Ccustom", { ifMatch: undefined }), their),
      []
    )
    assert.deepStrictEqual(
      differences(sent("/v2/objects/s/channels?count=false&include=status", { ifMatch: "a" }), their),
      [
        "query count: sent false, recorded True",
        "query include: sent status, recorded custom,status",
        "if-match: sent a, recorded none"
      ]
    )
    assert.deepStrictEqual(
      differences(sent("/v2/objects/s/channels"), {
        ...recorded(channels, "/v2/objects/s/channels"),
        headers: { "if-match": "b" }
      }),
      ["if-match: sent none, recorded b"]
    )
  })

  it("finds another percent-encoding of the same text, except of the tilde", () => {
    const their = recorded(publish, "/publish/p/s/0/a%20~/0/%22%21%22")
    assert.deepStrictEqual(encodingDifferences(sent("/publish/p/s/0/a%20%7E/0/%22%21%22"), their), [])
    assert.deepStrictEqual(
      encodingDifferences(sent("/publish/p/s/0/a%20%7E/0/%22!%22"), their),
      ["path part 7: sent as %22!%22, recorded as %22%21%22"]
    )
  })

  it("restores queries and paths that recorders cut", () => {
    const query = { uuid: "u", "filter-expr": "a == 'b' ", "": ["", ""], " age >": " 32", heartbeat: "20" }
    const rawTarget = "/v2/subscribe/s/a/0?uuid=u&filter-expr=a%20==%20'b'%20&&%20age%20%3E=%2032&heartbeat=20"
    assert.deepStrictEqual([...recordedQuery({ query, rawTarget })], [
      ["uuid", "u"],
      ["filter-expr", "a == 'b' && age >= 32"],
      ["heartbeat", "20"]
    ])
    assert.deepStrictEqual(recordedParts({ rawTarget: "/publish/p/s/0/ch/0/%22a/b%22?uuid=u", template: publish }), [
      "publish",
      "p",
      "s",
      "0",
      "ch",
      "0",
      "%22a/b%22"
    ])
  })
})
