// Tables of iptables as the tools print them: iptables-save -c and iptables -vnL.
import { protocolNumber } from './ip-protocols.js'
import type { IptablesChain, IptablesCondition, IptablesRule, IptablesTable } from './iptables/rule.js'

/**
 * What `iptables-save -c` prints of these tables, less its comments: `iptablesSaveView(await ns.iptables.list({ backend: 'legacy', family: 4 }))`.
 *
 * @example
 * iptablesSaveView([
 *   {
 *     backend: 'legacy',
 *     family: 4,
 *     name: 'filter',
 *     chains: [
 *       {
 *         name: 'FORWARD',
 *         policy: 'DROP',
 *         packets: 3,
 *         bytes: 252,
 *         rules: [{ number: 1, text: '-i br0 -j ACCEPT', shown: '', packets: 1, bytes: 84, matches: [], target: { name: 'ACCEPT' } }],
 *       },
 *     ],
 *   },
 * ])
 * // '*filter\n:FORWARD DROP [3:252]\n[1:84] -A FORWARD -i br0 -j ACCEPT\nCOMMIT\n'
 */
export function iptablesSaveView(tables: readonly IptablesTable[]): string {
  const lines = tables.flatMap(({ name, chains }) => [
    `*${name}`,
    ...chains.map(({ name: chain, policy, packets, bytes }) => `:${chain} ${policy ?? '-'} [${packets}:${bytes}]`),
    ...chains.flatMap(({ name: chain, rules }) =>
      rules.map(({ text, packets, bytes }) => `[${packets}:${bytes}] -A ${chain}${text && ` ${text}`}`),
    ),
    'COMMIT',
  ])
  return lines.map(line => `${line}\n`).join('')
}

/**
 * What `iptables -vnL -t filter` prints of a table, protocols by their numbers as version 1.8.9 has them.
 *
 * @example
 * iptablesListView({
 *   backend: 'nft',
 *   family: 4,
 *   name: 'filter',
 *   chains: [{ name: 'FORWARD', policy: 'DROP', packets: 0, bytes: 0, rules: [] }],
 * }).split('\n')[0]
 * // 'Chain FORWARD (policy DROP 0 packets, 0 bytes)'
 */
export function iptablesListView({ family, chains }: IptablesTable): string {
  const references = (name: string) => chains.reduce((sum, { rules }) => sum + rules.filter(({ target }) => target.name === name).length, 0)
  const heading = ({ name, policy, packets, bytes }: IptablesChain) =>
    policy
      ? `Chain ${name} (policy ${policy} ${short(packets).trim()} packets, ${short(bytes).trim()} bytes)`
      : `Chain ${name} (${references(name)} references)`
  const columns = ' pkts bytes target     prot opt in     out     source               destination         '
  return chains
    .map(chain => [heading(chain), columns, ...chain.rules.map(rule => row(rule, family))].map(line => `${line}\n`).join(''))
    .join('\n')
}

/** Thousands, and millions, once there would be more than five digits. */
function short(value: number): string {
  if (value <= 99_999) return String(value).padStart(5)
  let rest = Math.floor((value + 500) / 1000)
  for (const unit of ['K', 'M', 'G']) {
    if (rest <= 9999) return `${String(rest).padStart(4)}${unit}`
    rest = Math.floor((rest + 500) / 1000)
  }
  return `${String(rest).padStart(4)}T`
}

function row(
  { packets, bytes, target, protocol, fragment, in: iif, out, source, destination, shown }: IptablesRule,
  family: 4 | 6,
): string {
  const sign = (condition: IptablesCondition | undefined) => (condition?.not ? '!' : '')
  const number = protocol ? String(protocolNumber(protocol.value)) : '0'
  const option = fragment ? (fragment.not ? '!f' : '-f') : '--'
  const link = (condition: IptablesCondition | undefined) => (condition ? `${sign(condition)}${condition.value}` : '*')
  const any = family === 4 ? '0.0.0.0/0' : '::/0'
  const address = (condition: IptablesCondition | undefined) => {
    const text = (condition?.value ?? any).replace(family === 4 ? /\/32$/ : /\/128$/, '')
    return `${sign(condition) || ' '}${text.padEnd(19)} `
  }
  return [
    `${short(packets)} ${short(bytes)} `,
    `${target.name.padEnd(9)} `,
    `${sign(protocol) || ' '}${number.padEnd(4)} ${option.padEnd(3)} `,
    `${link(iif).padEnd(6)} ${link(out).padEnd(6)} `,
    address(source),
    address(destination),
    target.goto ? '[goto] ' : '',
    shown && ` ${shown}`,
  ].join('')
}
