// Values that have been written already: for whoever needs to know how long they are, or makes many that are alike.
import type { Child, Codec } from './codec.js'
import { bytes } from './scalars.js'

/** The same form, of which the bytes are given that it writes: errors still find their way into it. */
export const written = <Out>(
  codec: Codec<Out, never>,
): Codec<Out, Uint8Array> & { children?(view: DataView, at: number, end: number): Iterable<Child> } => ({
  ...codec,
  write: bytes.write,
})
