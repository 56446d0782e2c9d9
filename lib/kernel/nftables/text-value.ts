// Times, names and units as nft writes them.

const quantities = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const

/** Seconds as '1d2h3m4s5ms'; nothing at all is '0s'. */
export function timeText(seconds: number): string {
  let rest = Math.round(seconds * 1000)
  let text = ''
  for (const [unit, size] of quantities) {
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${unit}`
    rest -= count * size
  }
  return text === '' ? '0s' : text
}

/** In quotation marks. nft has no way to write a quotation mark within. */
export const quote = (text: string): string => `"${text}"`

const units = [
  ['mbytes', 1 << 20],
  ['kbytes', 1 << 10],
] as const

/** Bytes in the largest unit that they are a multiple of: '25 mbytes'. */
export function bytesText(bytes: number): string {
  for (const [unit, size] of units) if (bytes > 0 && bytes % size === 0) return `${bytes / size} ${unit}`
  return `${bytes} bytes`
}
