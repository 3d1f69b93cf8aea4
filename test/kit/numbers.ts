/** So many numbers in a row. */
export const numbers = (length: number, first = 0) => Array.from({ length }, (_, n) => first + n)
