// netloom's part in scripts/bench/routes-add.mjs: all routes as one plan, recorded within the measured time. Usage: routes-add-netloom.mjs N.
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { Namespace, Plan } from 'netloom'

const count = Number(process.argv[2])
const before = process.cpuUsage()
const start = performance.now()
const plan = new Plan()
const here = plan.in(Namespace.current())
for (let i = 0; i < count; i++) {
  const to = `${20 + (i >>> 24)}.${(i >>> 16) & 255}.${(i >>> 8) & 255}.${i & 255}`
  here.routes.add({ to, link: 'lo', protocol: 'static' })
}
await plan.apply()
const add = performance.now() - start
const { user, system } = process.cpuUsage(before)
const routes = readFileSync('/proc/thread-self/net/route', 'latin1').trimEnd().split('\n').length - 1
process.stdout.write(`${JSON.stringify({ add, cpu: (user + system) / 1000, routes })}\n`)
