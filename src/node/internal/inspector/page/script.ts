/** The script of a page, as text. */
import { kit } from "./kit.ts"

/** The functions of a page use nothing from outside of them, so that their text is all that a browser needs. */
export const scriptOf = (page: (tools: ReturnType<typeof kit>) => void): string =>
  `(${String(page)})((${String(kit)})())\n`
