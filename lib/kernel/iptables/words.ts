// Values in the words of iptables: addresses with masks, ports, flags, names.
import { formatIp } from '../../codec/ip.js'

/** The pattern of a link's name: with the final zero under the mask it is the whole name, without it the beginning. */
export function linkPattern(name: Uint8Array, mask: Uint8Array): string {
  const end = name.indexOf(0)
  const text = Buffer.from(end < 0 ? name : name.subarray(0, end)).toString('latin1')
  const counted = mask.filter(byte => byte !== 0).length
  if (counted === 0) return ''
  return counted > text.length ? text : `${text.slice(0, counted)}+`
}

/** 24 for 255.255.255.0; undefined for a mask that is none of a prefix. */
export function prefixLength(mask: Uint8Array): number | undefined {
  let length = 0
  while (length < mask.length * 8 && (mask[length >> 3]! >> (7 - (length & 7))) & 1) length++
  for (let i = length; i < mask.length * 8; i++) if ((mask[i >> 3]! >> (7 - (i & 7))) & 1) return undefined
  return length
}

/** '10.0.0.0/8', '10.0.0.1/32', '10.0.0.0/255.0.255.0'. */
export function network(address: Uint8Array, mask: Uint8Array): string {
  const base = formatIp(address.map((byte, i) => byte & mask[i]!))
  return `${base}/${prefixLength(mask) ?? formatIp(mask)}`
}

/** '80', '80:90'. */
export const portRange = (low: number, high: number): string => (low === high ? String(low) : `${low}:${high}`)
export const hexadecimal = (value: number) => `0x${value.toString(16)}`
/** As iptables-save writes what a shell shall read. */
export const quoted = (text: string) => (/^[\w-]+$/.test(text) ? text : `"${text.replace(/[\\"']/g, '\\$&')}"`)

export const tcpFlagNames = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'] as const
/** 'SYN,ACK', 'ALL' (not of the mask of six), 'NONE'. */
export function tcpFlags(word: number): string {
  const names = tcpFlagNames.filter((_, bit) => (word >> bit) & 1)
  return names.length ? names.join(',') : 'NONE'
}
export const named = (word: number, names: readonly string[], first = 0): string =>
  names.filter((_, bit) => (word >> (bit + first)) & 1).join(',')
