// A plan with entries that are alike by the thousand, of several exchanges each, around a few namespaces; and the host that it finds.
import type { Namespace, Plan } from '../../lib/index.js'
import { crowd, furnish } from './crowds.js'
import { attempt } from './readers.js'

/** More than are done between two looks at a signal. */
const routes = 4500
/** More than one exchange has. */
const addresses = 1300
/** There before, so that adding it is refused: in the middle of the second exchange. */
const taken = 1500
/** There before under another metric, so that it may be added all the same. */
const besides = [20, 1024, 3000]
const routeTo = (i: number) => `10.${60 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`

export async function furnishForSeries(host: string): Promise<void> {
  await furnish(host)
  const there = besides.map(i => `route add ${routeTo(i)} via 10.3.0.9 metric 50`)
  await batch(host, [`route add ${routeTo(taken)} via 10.3.0.9`, ...there])
}

/** `refused`: one among the routes is there already, so that all of it has to be taken back. */
export function series(there: Namespace | { readonly name: string }, count: number, prefix: string, refused = false): Plan {
  const plan = crowd(there, count, prefix)
  const here = plan.in(there)
  for (let i = 0; i < routes; i++)
    if (refused || i !== taken) here.routes.add({ to: routeTo(i), via: '10.3.0.9', ...(i === 4000 && { metric: 7 }) })
  for (let i = 0; i < addresses; i++) here.addresses.add('old0', `10.90.${1 + (i >> 8)}.${i & 255}/16`)
  return plan
}

/** Takes away what a complete plan has added, by other means. */
export async function removeSeries(host: string): Promise<void> {
  const routesThere = Array.from({ length: routes }, (_, i) => i).filter(i => i !== taken)
  await batch(host, [
    ...routesThere.map(i => `route delete ${routeTo(i)} via 10.3.0.9 ${i === 4000 ? 'metric 7' : 'metric 0'}`),
    ...Array.from({ length: addresses }, (_, i) => `address delete 10.90.${1 + (i >> 8)}.${i & 255}/16 dev old0`).reverse(),
  ])
}

async function batch(host: string, commands: readonly string[]): Promise<void> {
  const { code, stderr } = await attempt(host, 'ip', ['-batch', '-'], `${commands.join('\n')}\n`)
  if (code !== 0) throw new Error(`ip -batch: ${stderr}`)
}
