// Netlink messages written and read by hand, so that these tests rest on nothing but the addon.

/** Little-endian hosts only, as are all that the addon is built for. */
const little = true

export const NLMSG_ERROR = 2
export const NLMSG_DONE = 3
export const RTM_NEWLINK = 16
export const RTM_DELLINK = 17
export const RTM_GETLINK = 18
export const RTM_NEWNSID = 88
export const REQUEST = 0x1
export const ACK = 0x4
export const DUMP = 0x300
export const CREATE = 0x600
export const ENODEV = 19

export interface Message {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly payload: Uint8Array
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

export function message(type: number, flags: number, sequence: number, ...payload: readonly Uint8Array[]): Uint8Array {
  const body = join(...payload)
  const header = new DataView(new ArrayBuffer(16))
  header.setUint32(0, 16 + body.length, little)
  header.setUint16(4, type, little)
  header.setUint16(6, flags, little)
  header.setUint32(8, sequence, little)
  return join(new Uint8Array(header.buffer), body, new Uint8Array(-body.length & 3))
}

export function attribute(type: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = join(...content)
  const header = new DataView(new ArrayBuffer(4))
  header.setUint16(0, 4 + body.length, little)
  header.setUint16(2, type, little)
  return join(new Uint8Array(header.buffer), body, new Uint8Array(-body.length & 3))
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(`${value}\0`)

export function u32(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(4))
  view.setUint32(0, value, little)
  return new Uint8Array(view.buffer)
}

/** struct ifinfomsg */
export function linkHeader(index: number, flags = 0): Uint8Array {
  return join(u32(0), u32(index), u32(flags), u32(flags))
}

export const getLink = (sequence: number, index: number, flags = 0) => message(RTM_GETLINK, REQUEST | flags, sequence, linkHeader(index))
export const dumpLinks = (sequence: number) => message(RTM_GETLINK, REQUEST | DUMP, sequence, linkHeader(0))
export const setUp = (sequence: number, index: number) => message(RTM_NEWLINK, REQUEST, sequence, linkHeader(index, 1))
export const deleteLink = (sequence: number, name: string) =>
  message(RTM_DELLINK, REQUEST, sequence, linkHeader(0), attribute(3, text(name)))
export const createBridge = (sequence: number, name: string) =>
  message(RTM_NEWLINK, REQUEST | CREATE, sequence, linkHeader(0), attribute(3, text(name)), attribute(18, attribute(1, text('bridge'))))

export function split(data: Uint8Array): Message[] {
  const messages: Message[] = []
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  for (let offset = 0; offset < data.length; ) {
    const length = view.getUint32(offset, little)
    messages.push({
      type: view.getUint16(offset + 4, little),
      flags: view.getUint16(offset + 6, little),
      sequence: view.getUint32(offset + 8, little),
      payload: data.subarray(offset + 16, offset + length),
    })
    offset += (length + 3) & ~3
  }
  return messages
}

/** The errno in a NLMSG_ERROR; 0 is an acknowledgement. */
export function errorOf(one: Message): number {
  return Math.abs(new DataView(one.payload.buffer, one.payload.byteOffset).getInt32(0, little))
}

/** sockaddr_nl */
export function netlinkAddress(port: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(12))
  view.setUint16(0, 16, little)
  view.setUint32(4, port, little)
  return new Uint8Array(view.buffer)
}

/** sockaddr_in */
export function ipv4Address(port: number, ...address: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 2, little)
  view.setUint16(2, port, false)
  bytes.set(address, 4)
  return bytes
}
