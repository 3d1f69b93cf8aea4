/** The floor: `request` of a pool of undici, and the body as text. */
import { Pool } from "undici"
import * as Bare from "./bare.ts"

export const make = (origin: string) => {
  const pool = new Pool(`http://${origin}`)
  return Bare.make(async (path, body) => {
    const response = await pool.request(
      body === undefined
        ? { path, method: "GET" }
        : { path, method: "POST", body: body.text, headers: { "content-type": body.type } }
    )
    return JSON.parse(await response.body.text())
  })
}
