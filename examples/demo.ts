// The main job in one go: namespaces, a veth pair, a bridge with many namespaces, pings, routes, MAC table, peers, a picture; then all is removed.
import { constants } from 'node:os'
import { argv, version } from 'node:process'
import { Namespace } from 'netloom'
import { buildBridge, showMacTable, showRoutes } from './demo/bridge.js'
import { showIdentity } from './demo/identity.js'
import { Lab } from './demo/lab.js'
import { type Options, readOptions, UsageError, usage } from './demo/options.js'
import { connectPair } from './demo/pair.js'
import { showPeers } from './demo/peers.js'
import { drawPicture } from './demo/picture.js'
import { pingAround } from './demo/pings.js'
import { bad, faint, good, heading, say, since, step, strong, thousands, wipe } from './demo/show.js'

const interruption = new AbortController()

async function run(options: Options): Promise<void> {
  const { count, subnet } = options
  const started = performance.now()
  say(`\n${strong('netloom')}  ${thousands(count)} namespaces on ${subnet.text}, Node ${version.slice(1)}`)
  say(faint('In grey, the command that does the same. None of them is started: netloom talks to the kernel itself.'))
  const lab = new Lab(interruption.signal)
  const before = await present()
  try {
    const blue = await showIdentity(lab)
    const green = await connectPair(lab, blue, subnet)
    const network = await buildBridge(lab, options)
    await showRoutes(network)
    await pingAround(lab, network)
    await showMacTable(network)
    await showPeers(lab, network)
    await drawPicture([blue, green], network)
    lab.signal.throwIfAborted()
  } finally {
    wipe()
    await cleanUp(lab, before)
  }
  say(`\n${good('Done')} in ${since(started)}.\n`)
}

/** Everything that the demo made was in namespaces, and is gone with them. */
async function cleanUp(lab: Lab, before: string): Promise<void> {
  if (lab.size === 0) return
  heading('Removing all of it')
  const { size } = lab
  const started = performance.now()
  await lab.remove()
  step(`${thousands(size)} namespaces with all that was in them (${since(started)})`, 'ip netns delete blue')
  const after = await present()
  if (after !== before) throw new Error(`something is left: before there was ${before}, now there is ${after}`)
  step(`as before: ${after}`, 'ip netns list; ip link')
}

/** What a program that does not clean up would change. */
async function present(): Promise<string> {
  const links = await Namespace.current().links.list()
  const namespaces = await Namespace.list()
  const names = namespaces.length === 0 ? 'no named namespace' : namespaces.map(({ name }) => name).join(' ')
  return `${names}, and here ${links.map(({ name }) => name).join(' ')}`
}

/** What was made is removed on Ctrl-C, too. A second one ends the program at once. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => interruption.abort(signal))
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader (`| head`) has seen enough.
  if (error.code !== 'EPIPE') throw error
  interruption.abort('SIGPIPE')
})

try {
  const options = readOptions(argv.slice(2))
  if (options) await run(options)
  else say(usage.trimEnd())
} catch (error) {
  const { reason, aborted } = interruption.signal
  const isInterruption = aborted && (error === reason || (error instanceof Error && error.name === 'AbortError'))
  const isUsage = error instanceof UsageError
  process.exitCode = aborted ? 128 + constants.signals[reason as NodeJS.Signals] : isUsage ? 2 : 1
  const message = error instanceof Error ? error.message : String(error)
  if (isInterruption) process.stderr.write(`\nInterrupted (${reason}).\n`)
  else process.stderr.write(`${bad('netloom demo:')} ${message}\n${isUsage ? `\n${usage}` : ''}`)
}
