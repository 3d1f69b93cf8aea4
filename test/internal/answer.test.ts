/** Who wrote an answer, and whether it is the last word. */
import { assert, describe, it } from "@effect/vitest"
import * as Answer from "../../src/internal/answer.ts"

const all = Array.from({ length: 600 }, (_, status) => status)
const whose = (status: number) => [Answer.judge(status, true), Answer.judge(status, false)]

describe("Answer", () => {
  it("judges 4xx as a refusal only in the service's own words, and 429 and sizes by themselves", () => {
    for (const status of all) {
      const expected = status === 429
        ? ["RateLimited", "RateLimited"]
        : [413, 414, 431].includes(status)
        ? ["TooLarge", "TooLarge"]
        : status >= 400 && status < 500 && ![408, 425, 499].includes(status)
        ? ["Refused", "Failed"]
        : ["Failed", "Failed"]
      assert.deepStrictEqual(whose(status), expected, String(status))
    }
  })

  it("takes 3xx, and a response without a status, for a redirect", () => {
    assert.deepStrictEqual(all.filter(Answer.isRedirect), [0, ...all.slice(300, 400)])
  })
})
