// What a trace tells, in lines like those of `nft monitor trace`.
import type { Statement } from './statement.js'
import { nftText } from './text.js'
import type { TraceStep } from './trace.js'
import type { TracePacket } from './trace-packet.js'

/**
 * A step of a trace as `nft monitor trace` prints it: a line for the packet where its headers were told, and one for what the rule or the policy did.
 * Rules and policies are in nft's words; of the packet there are interfaces, addresses, protocol, ports and lengths.
 */
export function traceText(step: TraceStep): string {
  const head = `trace id ${step.id.toString(16).padStart(8, '0')} ${step.family} ${step.table} ${step.chain}`
  const mark = step.mark === undefined ? '' : ` meta mark 0x${step.mark.toString(16).padStart(8, '0')}`
  const packet = step.packet ? [`${head} packet:${linksText(step)}${packetText(step.packet)}`] : []
  const verdict = step.verdict ? `verdict ${nftText([step.verdict as Statement])}` : ''
  if (step.type === 'policy') return [...packet, `${head} policy ${step.policy ?? 'accept'}${mark}`].join('\n')
  if (step.type === 'return') return [...packet, `${head} ${verdict}${mark}`].join('\n')
  if (step.handle === undefined) return packet.join('\n')
  const rule = step.rule ? `rule ${nftText(step.rule)}` : `unknown rule handle ${step.handle}`
  return [...packet, `${head} ${rule} (${verdict})`].join('\n')
}

const linksText = ({ iif, oif }: TraceStep) => (iif === undefined ? '' : ` iif "${iif}"`) + (oif === undefined ? '' : ` oif "${oif}"`)

function packetText(packet: TracePacket): string {
  const ip = packet.source?.includes(':') ? 'ip6' : 'ip'
  const fields: [name: string, value: string | number | undefined][] = [
    ['ether saddr', packet.etherSource],
    ['ether daddr', packet.etherDestination],
    [`${ip} saddr`, packet.source],
    [`${ip} daddr`, packet.destination],
    [ip === 'ip' ? 'ip ttl' : 'ip6 hoplimit', packet.ttl],
    [ip === 'ip' ? 'ip protocol' : 'ip6 nexthdr', packet.protocol],
    [`${ip} length`, packet.length],
    [`${packet.protocol} sport`, packet.sourcePort],
    [`${packet.protocol} dport`, packet.destinationPort],
    ['udp length', packet.udpLength],
    [`${packet.protocol} type`, packet.icmpType],
    [`${packet.protocol} code`, packet.icmpCode],
  ]
  return fields.map(([name, value]) => (value === undefined ? '' : ` ${name} ${value}`)).join('')
}
