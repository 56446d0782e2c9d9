// What the library does while a system call fails: each with what there is before and after, so that nothing may be left over.
import { Namespace, type Plan, type PlanResult } from '../../../lib/index.js'
import { crowd } from '../../helpers/crowds.js'
import { attempt, run } from '../../helpers/readers.js'
import { namedNamespaces } from '../../helpers/state.js'

export interface Work<T = unknown> {
  readonly name: string
  /** A call that must not fail from its n-th time on: the library ends the process then, on purpose. */
  readonly spared?: Readonly<Record<string, number>>
  /** Errors that the library turns into others, since it tries another way then. */
  readonly instead?: Readonly<Record<string, string>>
  /** Before any call can fail. */
  prepare?(): Promise<void>
  work(): Promise<T>
  /** After it was done: says what is wrong with it, and takes it back. */
  done(result: T): Promise<string | undefined>
  /** After it failed: says what is left of it, and takes back what `prepare` made. */
  failed?(): Promise<string | undefined>
}

export const work = <T>(one: Work<T>) => one as Work

/** `name` gives names for namespaces that nobody else has. */
export function works(host: Namespace, hostName: string, name: (suffix: string) => string): Work[] {
  let inside: Namespace
  let plan: Plan
  let result: PlanResult
  const takeBack = async () => {
    await result.delete({ drain: true })
    return undefined
  }
  return [
    work({
      name: 'create a namespace',
      work: () => Namespace.create(name('made'), { loopback: true }),
      done: async made => {
        const { flags } = await made.links.get('lo')
        await made.delete()
        return flags.includes('UP') ? undefined : `lo is ${flags.join()}`
      },
    }),
    work({
      name: 'create a link',
      prepare: async () => {
        inside = await Namespace.create(name('inside'))
      },
      work: () =>
        host.links.create({
          kind: 'veth',
          name: 'faulty0',
          alias: 'a fault',
          up: true,
          peer: { namespace: inside, name: 'eth0', up: true },
        }),
      done: async () => {
        const text = await run(hostName, 'ip', '-o', 'link', 'show', 'dev', 'faulty0')
        await inside.delete()
        await host.links.delete('faulty0').catch(() => undefined)
        return /state (UP|LOWERLAYERDOWN)/.test(text) && text.includes('alias a fault') ? undefined : text
      },
      failed: async () => {
        const { stdout } = await attempt(hostName, 'ip', ['-o', 'link', 'show', 'dev', 'faulty0'])
        await inside.delete()
        return stdout || undefined
      },
    }),
    work({
      name: 'list links and addresses',
      work: () => Promise.all([host.links.list(), host.addresses.list(), host.routes.list({ table: 'all' })]),
      done: async ([links]) => (links.some(link => link.name === 'lo') ? undefined : 'lo is missing'),
    }),
    work({
      name: 'watch',
      work: async () => {
        const seen: string[] = []
        let changed = false
        for await (const event of host.watch(['link', 'address'])) {
          seen.push(event.type)
          if (event.type === 'ready') {
            changed = true
            await host.addresses.add('lo', '10.99.0.1/32')
          } else if (changed && event.type === 'address') break
        }
        return seen
      },
      done: async seen => {
        await host.addresses.delete('lo', '10.99.0.1/32')
        return seen.includes('address') ? undefined : seen.join()
      },
      failed: async () => {
        await host.addresses.delete('lo', '10.99.0.1/32').catch(() => undefined)
        return undefined
      },
    }),
    work({
      name: 'apply a plan of 7 namespaces',
      work: async () => crowd(host, 6, name('p')).apply(),
      done: async applied => {
        const [names, ends, last] = await Promise.all([
          namedNamespaces(name('p')),
          run(hostName, 'ip', '-o', 'link', 'show', 'master', 'hub0'),
          run(name('p5'), 'sh', '-c', 'ip -o address show eth0; ip route'),
        ])
        await applied.delete({ drain: true })
        const whole =
          names.length === 7 && ends.split(',UP,LOWER_UP>').length === 7 && /10\.77\.1\.6\/16.*default via 10\.77\.0\.1/s.test(last)
        return whole ? undefined : `${names.join()}: ${ends}${last}`
      },
    }),
    work({
      name: 'take that plan back',
      prepare: async () => {
        plan = crowd(host, 6, name('p'))
        result = await plan.apply()
      },
      work: () => result.delete({ drain: true }),
      done: async () => undefined,
      failed: takeBack,
    }),
  ]
}
