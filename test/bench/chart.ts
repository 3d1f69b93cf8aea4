/** The ratios to bare undici as a chart: an SVG of 800 pixels that follows the reader's light or dark scheme. */
import type { ContenderName } from "./contender.ts"
import type { Report } from "./report.ts"

/** From the first bar of a row to the last. */
const shown = ["effect-herald", "stock layer", "pubnub keepAlive", "pubnub"] as const satisfies ReadonlyArray<
  ContenderName
>

const width = 800
const left = 230
const right = 50
const bar = 11
const gap = 14
const top = 64

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")

const style = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .value { font-size: 10px; fill: #59636e }
  .grid { stroke: #d1d9e0 } .floor { stroke: #1f2328; stroke-dasharray: 3 3 }
  .c0 { fill: #0969da } .c1 { fill: #80b3e8 } .c2 { fill: #d9a400 } .c3 { fill: #cf5b2e }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .value { fill: #9198a1 }
    .grid { stroke: #3d444d } .floor { stroke: #f0f6fc }
    .c0 { fill: #58a6ff } .c1 { fill: #30588c } .c2 { fill: #d9a400 } .c3 { fill: #e0764b }
  }`

/** Draws the rows that are compared with undici. */
export const draw = (reports: ReadonlyArray<Report>): string => {
  const rows = reports.filter(({ by }) => by === "undici").map(({ cells, name }) => ({
    name,
    bars: shown.flatMap((contender, color) => {
      const cell = cells[contender]
      return cell === undefined ? [] : [{ color, value: cell.shown }]
    })
  }))
  const most = Math.ceil(Math.max(1, ...rows.flatMap(({ bars }) => bars.map(({ value }) => value))))
  const x = (value: number) => left + (width - left - right) * value / most
  const parts: Array<string> = []
  let y = top
  for (const { bars, name } of rows) {
    const height = bars.length * bar
    parts.push(`<text x="${left - 8}" y="${y + height / 2 + 4}" text-anchor="end">${escape(name)}</text>`)
    bars.forEach(({ color, value }, index) => {
      const at = y + index * bar
      parts.push(
        `<rect class="c${color}" x="${left}" y="${at}" width="${(x(value) - left).toFixed(1)}" height="${bar - 1}"/>`,
        `<text class="value" x="${(x(value) + 4).toFixed(1)}" y="${at + bar - 2}">${value.toFixed(2)}</text>`
      )
    })
    y += height + gap
  }
  const legend = shown.map((name, index) =>
    `<rect class="c${index}" x="${left + index * 130}" y="34" width="10" height="10"/>` +
    `<text x="${left + index * 130 + 15}" y="43">${name}</text>`
  )
  const lines = Array.from(
    { length: most + 1 },
    (_, value) =>
      `<line class="${value === 1 ? "floor" : "grid"}" x1="${x(value).toFixed(1)}" x2="${x(value).toFixed(1)}" ` +
      `y1="${top - 6}" y2="${y}"/><text class="value" x="${x(value).toFixed(1)}" y="${
        y + 14
      }" text-anchor="middle">${value}</text>`
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 24}" width="${width}" height="${
      y + 24
    }" role="img">`,
    `<title>Cost as a multiple of bare undici</title><style>${style}</style>`,
    `<text class="title" x="${left}" y="20">Cost as a multiple of bare undici: shorter is better</text>`,
    ...legend,
    ...lines,
    ...parts,
    "</svg>",
    ""
  ].join("\n")
}
