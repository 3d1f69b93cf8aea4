/**
 * The latency of each message as a plot: an SVG of 800 pixels that follows the reader's light or dark scheme.
 */
/** The fate of one message: moments in milliseconds since the start. */
export interface Sample {
  readonly sent: number
  readonly accepted: number | undefined
  readonly arrived?: number | undefined
}

const width = 800
const height = 360
const left = 60
const right = 20
const top = 64
const bottom = 40

const style = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .grid { stroke: #d1d9e0 }
  .accepted { fill: #0969da } .arrived { fill: #cf5b2e }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .grid { stroke: #3d444d }
    .accepted { fill: #58a6ff } .arrived { fill: #e0764b }
  }`

/** The next of 1, 2, 5, 10, 20, … that divides a length in at most ten steps. */
const stepOf = (length: number): number => {
  const power = 10 ** Math.floor(Math.log10(length / 10))
  return power * ([1, 2, 5].find((factor) => length / (factor * power) <= 10) ?? 10)
}

const ticks = (most: number): ReadonlyArray<number> => {
  const step = stepOf(most)
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) => Number((index * step).toPrecision(6)))
}

/** Draws one dot when a message was accepted, and one when it arrived. */
export const draw = (origin: string, samples: ReadonlyArray<Sample>): string => {
  const dots = (["accepted", "arrived"] as const).flatMap((kind) =>
    samples.flatMap(({ [kind]: at, sent }) =>
      at === undefined ? [] : [{ kind, sent: sent / 1_000, latency: at - sent }]
    )
  )
  const seconds = ticks(dots.reduce((most, { sent }) => Math.max(most, sent), 1))
  const millis = ticks(dots.reduce((most, { latency }) => Math.max(most, latency), 1))
  const x = (value: number) => left + (width - left - right) * value / (seconds.at(-1) ?? 1)
  const y = (value: number) => height - bottom - (height - top - bottom) * value / (millis.at(-1) ?? 1)
  // The configuration has checked the origin: it is a host and a port.
  const title = `Latency at ${origin}`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${title}</title><style>${style}</style>`,
    `<text class="title" x="${left}" y="24">${title}: milliseconds since a message was sent</text>`,
    ...(["accepted", "arrived"] as const).map((kind, index) =>
      `<circle class="${kind}" cx="${left + 5 + index * 100}" cy="42" r="4"/>` +
      `<text x="${left + 15 + index * 100}" y="46">${kind}</text>`
    ),
    ...millis.map((value) =>
      `<line class="grid" x1="${left}" x2="${width - right}" y1="${y(value).toFixed(1)}" y2="${
        y(value).toFixed(1)
      }"/>` +
      `<text x="${left - 8}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${value}</text>`
    ),
    ...seconds.map((value) =>
      `<text x="${x(value).toFixed(1)}" y="${height - bottom + 20}" text-anchor="middle">${value} s</text>`
    ),
    ...dots.map(({ kind, latency, sent }) =>
      `<circle class="${kind}" cx="${x(sent).toFixed(1)}" cy="${y(latency).toFixed(1)}" r="3"/>`
    ),
    "</svg>",
    ""
  ].join("\n")
}
