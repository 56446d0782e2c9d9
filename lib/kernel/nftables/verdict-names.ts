// Names as the kernel keeps them in registers: text and zeros.
export function readBytes(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  bytes.set(new TextEncoder().encode(text).subarray(0, length))
  return bytes
}
