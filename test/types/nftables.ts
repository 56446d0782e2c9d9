// Compiled, never run: what the rule language takes. Each line fails the compiler if a mistake is let through, or something right is refused.
import { type BuiltRule, type NftStatement, nft } from '../../lib/index.js'

const {
  rule,
  tcp,
  ip,
  ct,
  meta,
  icmp,
  concat,
  not,
  lt,
  none,
  range,
  element,
  fib,
  limit,
  quota,
  reject,
  dnat,
  log,
  queue,
  iif,
  counter,
  accept,
} = nft

export function rules(): BuiltRule[] {
  const statement: NftStatement = tcp.dport(80)
  return [
    rule(statement, tcp.dport([22, '80-90', range(100, 200), element(443, { timeout: 5 })]), tcp.dport(not('@closed')), ip.ttl(lt(5))),
    rule(
      ct.state('new', 'related'),
      ct.state(['new']),
      ct.state(not('invalid')),
      tcp.flags(none('syn')),
      tcp.flags.within('syn', 'ack')('syn'),
    ),
    rule(
      concat(
        ip.saddr,
        tcp.dport,
      )([
        ['10.0.0.1', 22],
        ['10.0.0.0/8', range(1, 5)],
      ]),
      concat(ip.saddr, tcp.dport).vmap('@verdicts'),
    ),
    rule(meta.mark.set(ct.mark), meta.mark.and(0xff)(1), dnat({ to: tcp.dport.map([[80, '10.0.0.1']]), port: 80 }), counter, accept),
    rule(icmp.type(42), fib('daddr').type('local'), limit('1 mbytes/second', { burst: '5 kbytes' }), iif(1), queue({ to: range(0, 3) })),
  ]
}

export function mistakes(): void {
  // @ts-expect-error a port is no text
  tcp.dport('http')
  // @ts-expect-error a port is no address
  tcp.dport('10.0.0.1')
  // @ts-expect-error an address is no number
  ip.saddr(80)
  // @ts-expect-error one part of the set is no port
  tcp.dport([22, true])
  // @ts-expect-error there is no such state
  ct.state('fresh')
  // @ts-expect-error there is no such state, beside one that is there
  ct.state('new', 'fresh')
  // @ts-expect-error nor in what must not be
  ct.state(not('fresh'))
  // @ts-expect-error there is no such flag
  tcp.flags.within('syn', 'nack')('syn')
  // @ts-expect-error there is no such type of message
  icmp.type('echo')
  // @ts-expect-error there is no such field
  tcp.dprot(80)
  // @ts-expect-error the name of a set begins with @
  tcp.dport('ports')
  // @ts-expect-error the parts of a concatenation are in order
  concat(ip.saddr, tcp.dport)([[22, '10.0.0.1']])
  // @ts-expect-error a concatenation has as many parts as fields
  concat(ip.saddr, tcp.dport)([['10.0.0.1', 22, 23]])
  // @ts-expect-error a mark is a number
  meta.mark.set('red')
  // @ts-expect-error there is no such flag of fib
  fib('source').type('local')
  // @ts-expect-error there is no such type of address
  fib('daddr').type('nearby')
  // @ts-expect-error there is no such unit of time
  limit('5/fortnight')
  // @ts-expect-error there is no such unit
  quota('5 gbytes')
  // @ts-expect-error that code is of another protocol
  reject('icmp', 'addr-unreachable')
  // @ts-expect-error there is no such level
  log({ level: 'loud' })
  // @ts-expect-error there is no such option
  dnat({ too: '10.0.0.2' })
  // @ts-expect-error a verdict map leads to verdicts
  tcp.dport.vmap([[22, 'accept']])
  // @ts-expect-error a field alone is no statement
  rule(tcp.dport)
  // @ts-expect-error a name alone is no statement
  rule('accept')
  // @ts-expect-error there is no such TCP option
  tcp.option('mss')
  // @ts-expect-error that option has no such field
  tcp.option('maxseg', 'tsval')
}
