// One of many processes that change the same table: adds and deletes rules and elements, and makes a table of its own what it shall be.
// Usage: node nftables-writer.mjs NUMBER; prints how many of its own changes there were.
import process from 'node:process'
import { Namespace } from '../../dist/index.js'

const number = Number(process.argv[2])
const { nftables } = Namespace.current()
const web = { family: 'inet', table: 'web' }
const own = { family: 'ip', table: `own${number}` }
const rule = port => ({
  ...web,
  chain: 'in',
  expr: [{ match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: port } }, { accept: null }],
})
const set = { ...web, name: 'many' }
let changes = 0

for (let i = 0; i < 5; i++) {
  // What stays has odd ports and addresses, what goes has even ones.
  const port = 1000 + number * 20 + 2 * i
  await nftables.transaction(t => {
    t.rules.add(rule(port + 1))
    t.elements.add({ ...set, elem: [`10.${number}.${i}.1`, `10.${number}.${i}.2`] })
  })
  const { handle } = await nftables.rules.add(rule(port))
  await nftables.transaction(t => {
    t.rules.delete({ ...web, chain: 'in', handle })
    t.elements.delete({ ...set, elem: [`10.${number}.${i}.2`] })
  })
  // Rests on the state that was read, which others change all the time.
  const elem = [`192.0.2.${i}`]
  const desired = [
    { table: { family: 'ip', name: own.table } },
    { chain: { ...own, name: `c${i}` } },
    { set: { ...own, name: 's', type: 'ipv4_addr', elem } },
  ]
  const applied = await nftables.apply(desired)
  changes += 3 + applied.changes
}
process.stdout.write(`${changes}\n`)
