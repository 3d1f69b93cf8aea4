/** Text behind its checksum, to detect changes. */

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1
  return value
})

const utf8 = new TextEncoder()

/** The CRC-32 of a text in UTF-8, as eight hexadecimal digits. It detects every change within 32 bits. */
export const of = (text: string): string => {
  let value = 0xffffffff
  for (const byte of utf8.encode(text)) value = (table[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8)
  return ((value ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0")
}

/** The text behind its checksum and a space. */
export const seal = (text: string): string => `${of(text)} ${text}`

/** The sealed text. `undefined` if it was changed or cut. */
export const open = (sealed: string): string | undefined => {
  const text = sealed.slice(9)
  return sealed.slice(0, 9) === `${of(text)} ` ? text : undefined
}
