// Unsolicited ARP (RFC 5227) and neighbour advertisements (RFC 4861): an interface tells its neighbours which MAC address its addresses have now.
import { parseIp, parseMac } from '../codec/ip.js'
import { native } from '../socket/native.js'
import { failure } from './failure.js'
import { internetChecksum } from './icmp.js'
import { labelOf, type OpenNamespace } from './info.js'

const AF_PACKET = 17
const SOCK_RAW = 3
const ETH_P_ARP = 0x0806
const ETH_P_IPV6 = 0x86dd

/** What is announced: an interface by its index, its MAC address, and its addresses. */
export interface Announcement {
  readonly index: number
  readonly mac: string
  readonly addresses: readonly string[]
}

/** Sends one frame for each address, from inside the namespace. Errors: ENETDOWN the interface is not up, ENXIO it is gone. */
export async function announceAddresses(where: OpenNamespace, { index, mac, addresses }: Announcement): Promise<void> {
  try {
    const socket = await native().openPacket(where.handle, AF_PACKET, SOCK_RAW, 0, [])
    try {
      for (const address of addresses) await socket.send(announcementOf(mac, address), linkAddress(index))
    } finally {
      socket.close()
    }
  } catch (error) {
    throw failure(error, { operation: 'announce addresses', subject: addresses.join(', '), namespace: labelOf(where.info) })
  }
}

/** The frame that says who has an address. */
export function announcementOf(mac: string, address: string): Uint8Array {
  const ip = parseIp(address)
  const hardware = parseMac(mac, 6)
  return ip.length === 4 ? arp(hardware, ip) : advertisement(hardware, ip)
}

/** A request for one's own address: those who know it take the new MAC, and nobody answers. */
function arp(mac: Uint8Array, ip: Uint8Array): Uint8Array {
  const header = Uint8Array.of(0, 1, 8, 0, 6, 4, 0, 1)
  return join(new Uint8Array(6).fill(0xff), mac, Uint8Array.of(ETH_P_ARP >> 8, ETH_P_ARP & 0xff), header, mac, ip, new Uint8Array(6), ip)
}

/** To all nodes of the link, with the flag that lets it override what they have cached. */
function advertisement(mac: Uint8Array, ip: Uint8Array): Uint8Array {
  const allNodes = parseIp('ff02::1')
  const message = join(Uint8Array.of(136, 0, 0, 0, 0x20, 0, 0, 0), ip, Uint8Array.of(2, 1), mac)
  const length = Uint8Array.of(0, 0, 0, message.length)
  const sum = internetChecksum(join(ip, allNodes, length, Uint8Array.of(0, 0, 0, 58), message))
  message[2] = sum >> 8
  message[3] = sum & 0xff
  const header = Uint8Array.of(0x60, 0, 0, 0, 0, message.length, 58, 255)
  return join(Uint8Array.of(0x33, 0x33, 0, 0, 0, 1), mac, Uint8Array.of(ETH_P_IPV6 >> 8, ETH_P_IPV6 & 0xff), header, ip, allNodes, message)
}

/** sockaddr_ll (`linux/if_packet.h`); the frame has everything but the interface. */
function linkAddress(index: number): Uint8Array {
  const bytes = new Uint8Array(20)
  new Uint16Array(bytes.buffer, 0, 1)[0] = AF_PACKET
  new Int32Array(bytes.buffer, 4, 1)[0] = index
  return bytes
}

const join = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.concat(parts))
