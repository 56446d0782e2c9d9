// What explain() tells people, and the arithmetic behind its cures.
import { describe, expect, test } from 'vitest'
import type { Cause, ExplainStep, Explanation } from '../../lib/explain/result.js'
import { covers, freeAddress, networkText, prefixOf } from '../../lib/explain/subnets.js'
import { explanationText } from '../../lib/explain/text.js'

const step = (
  way: 'there' | 'back',
  namespace: string,
  link: string | undefined,
  text: string,
  outcome: ExplainStep['outcome'] = 'passes',
): ExplainStep => ({
  ...{ way, kind: 'route', namespace, text, outcome },
  ...(link !== undefined && { link }),
})
const cause = (fields: Partial<Cause>): Cause => ({
  ...{
    kind: 'no-route',
    way: 'there',
    where: { namespace: { device: 4, inode: 1 }, name: 'blue' },
    text: 'no route',
    cures: [],
    behind: false,
  },
  ...fields,
})
const told = (fields: Partial<Explanation>): string =>
  explanationText({ verdict: 'passes', subject: 'icmp from blue to green', steps: [], causes: [], ...fields })

describe('text', () => {
  test('a packet that passes, and one of which nobody can say', () => {
    expect(told({})).toBe('icmp from blue to green: passes.')
    expect(told({ verdict: 'unknown' })).toBe('icmp from blue to green: may or may not get through.')
  })

  test('causes are numbered in their order, with every cure, by calls where there are any', () => {
    const calls = [
      { namespace: 'blue', call: "sysctl.set('a', 1)" },
      { namespace: 'green', call: "links.delete('b')" },
    ]
    const causes = [
      cause({ cures: [{ text: 'do this', calls }, { text: 'do that' }] }),
      cause({ behind: true, text: 'a port is down' }),
      cause({ behind: true, way: 'back', text: 'no way back' }),
    ]
    expect(told({ verdict: 'dropped', causes })).toBe(
      [
        'icmp from blue to green: does not get through.',
        '',
        '1. no route.',
        "   Cure: do this: in blue sysctl.set('a', 1), in green links.delete('b')",
        '   Or: do that',
        '',
        '2. then a port is down.',
        '',
        '3. then on the way back, no way back.',
      ].join('\n'),
    )
  })

  test('both ways, with the places in a column', () => {
    const steps = [
      step('there', 'blue', 'eth0', 'goes'),
      step('there', 'green', undefined, 'stays', 'dropped'),
      step('back', 'a', 'b', 'who knows', 'unknown'),
    ]
    expect(told({ steps }).split('\n').slice(1)).toEqual([
      '',
      'The way there:',
      '  ✓ blue eth0  goes',
      '  ✗ green      stays',
      '',
      'The way back of the answer:',
      '  ? a b  who knows',
    ])
  })
})

describe('subnets', () => {
  test.each([
    ['10.0.1.7/24', '10.0.1.250', true],
    ['10.0.1.7/25', '10.0.1.250', false],
    ['10.0.1.7/31', '10.0.1.6', true],
    ['default', '192.0.2.1', true],
    ['10.0.1.7/24', 'fd00::1', false],
    ['fd00::/64', 'fd00::9', true],
    ['fd00::/64', 'fd00:0:0:1::9', false],
  ])('%s covers %s: %s', (subnet, address, yes) => {
    expect(covers(prefixOf(subnet, 4), address)).toBe(yes)
  })

  test('the network of an address', () => {
    expect(networkText({ address: '10.0.1.7', prefix: 20 })).toBe('10.0.0.0/20')
    expect(networkText({ address: 'fd00::7', prefix: 64 })).toBe('fd00::/64')
  })

  test.each([
    ['10.0.1.9', 24, [], '10.0.1.1'],
    ['10.0.1.9', 24, ['10.0.1.1', '10.0.1.2'], '10.0.1.3'],
    ['10.0.1.9', 30, ['10.0.1.9'], '10.0.1.10'],
    ['10.0.1.9', 30, ['10.0.1.9', '10.0.1.10'], undefined],
    ['10.0.1.9', 31, ['10.0.1.9'], '10.0.1.8'],
    ['10.0.1.9', 32, ['10.0.1.9'], undefined],
    ['10.0.0.0', 8, Array.from({ length: 255 }, (_, i) => `10.0.0.${i + 1}`), '10.0.1.0'],
    ['fd00::', 64, ['fd00::1'], 'fd00::2'],
  ])('a free address beside %s/%i and %j: %s', (address, prefix, taken, free) => {
    expect(freeAddress({ address, prefix }, new Set(taken))).toBe(free)
  })
})
