/**
 * Text that others wrote, on its way into an error or a log: short, and without secrets.
 */

/** As much of a text as an error holds of what others wrote. */
export const most = 1_024

/** The text, cut where it is longer than this. Half of a surrogate pair becomes a replacement character. */
export const bounded = (text: string, length = most): string =>
  (text.length <= length ? text : `${text.slice(0, length - 1)}…`).toWellFormed()

/**
 * What threw: its kind and its text. An address may hold a token and a payload, so none is told; nor is any of the given
 * secrets.
 */
export const ofDefect = (defect: unknown, secrets: ReadonlyArray<string> = []): string => {
  try {
    const told = defect instanceof Error
      ? `${defect.name}: ${defect.message}`
      : typeof defect === "string"
      ? defect
      : `a value of type ${typeof defect} was thrown`
    return bounded(withoutSecrets(told, secrets))
  } catch {
    // A getter of it threw, or it has no string as a message.
    return "it cannot be told what was thrown"
  }
}

const address = /\b[a-z]+:\/\/\S*/gi
const query = /\?[^\s=?]+=\S*/g

const withoutSecrets = (text: string, secrets: ReadonlyArray<string>): string =>
  secrets.filter((secret) => secret !== "")
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .reduce(
      (text, secret) => text.replaceAll(secret, "{secret}"),
      text.replaceAll(address, "{address}").replaceAll(query, "?{query}")
    )
