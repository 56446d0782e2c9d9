// Walks over an encoded message by its table: which field does this byte belong to, and what is in here?
import type { AnyCodec, Child } from './codec.js'
import { constantOf } from './table.js'

export interface Visited extends Child {
  /** Names from the outermost container inwards: ['linkinfo', 'data', 'id']; unknown attributes as '#52'. */
  readonly path: readonly string[]
}

export const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Every attribute and struct member of a message, outer ones first. Throws MalformedError where the bytes are not what the table says. */
export function* walk(codec: AnyCodec, view: DataView, at = 0, end = view.byteLength, path: readonly string[] = []): Generator<Visited> {
  if (!codec.children) return
  for (const child of codec.children(view, at, end)) {
    const here = [...path, child.name ?? child.constant.replace(/^.*(?=#)/, '')]
    yield { ...child, path: here }
    if (child.codec) yield* walk(child.codec, view, child.from, child.to, here)
  }
}

export interface Located {
  readonly path: readonly string[]
  /** 'IFLA_VXLAN_ID' */
  readonly attribute: string
}

/** The innermost attribute that holds the byte at `offset`: gives the kernel's NLMSGERR_ATTR_OFFS a name. */
export function locate(codec: AnyCodec, bytes: Uint8Array, offset: number, at = 0): Located | undefined {
  let found: Located | undefined
  for (const visited of walk(codec, viewOf(bytes), at)) {
    if (offset < visited.start || offset >= visited.to) continue
    const attribute = /^[A-Z]/.test(visited.constant) ? visited.constant : found?.attribute
    if (attribute) found = { path: visited.path, attribute }
  }
  return found
}

/** The constant of an attribute that is not there, by the nest it should be in: for NLMSGERR_ATTR_MISS_TYPE. */
export function missing(codec: AnyCodec, bytes: Uint8Array, type: number, nestOffset: number | undefined, at = 0): Located | undefined {
  let container: AnyCodec | undefined = codec
  let path: readonly string[] = []
  if (nestOffset !== undefined) {
    container = undefined
    for (const visited of walk(codec, viewOf(bytes), at))
      if (visited.start === nestOffset) {
        container = visited.codec
        path = visited.path
      }
  }
  if (!container || !('entries' in container) || !('prefix' in container)) return undefined
  const entries = container.entries as Readonly<Record<string, readonly [number, AnyCodec]>>
  for (const [name, [number]] of Object.entries(entries))
    if (number === type) return { path: [...path, name], attribute: constantOf(String(container.prefix), name) }
  return undefined
}
