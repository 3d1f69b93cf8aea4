/**
 * Flags that are on or off. The parser reads the next word as their value if it looks like one: a message `yes` after `--text`
 * would be lost silently.
 */

/** All flags that are on or off. */
const names = [
  "access-manager",
  "follow",
  "json",
  "merge",
  "message-ml",
  "oldest-first",
  "presence",
  "replicate",
  "store",
  "text",
  "tls",
  "verbose"
]

const words = ["true", "false", "yes", "no", "y", "n", "on", "off", "1", "0"]

/** The problem of arguments with a word that may be the value of a flag or an argument. */
export const issueOf = (args: ReadonlyArray<string>): string | undefined => {
  const end = args.indexOf("--")
  const read = end === -1 ? args : args.slice(0, end)
  for (const [index, flag] of read.entries()) {
    const word = read[index + 1]
    if (word !== undefined && words.includes(word.toLowerCase()) && names.some((name) => flag === `--${name}`)) {
      return `"${word}" after ${flag} may be its value or an argument. ` +
        `Write ${flag}=${word}, or put the flag behind the arguments`
    }
  }
  return undefined
}
