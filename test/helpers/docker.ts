// A real Docker, started in a network namespace of the test's own, and its containers, which do nothing but stay.
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDaemon } from '../../scripts/container-daemon.mjs'
import { findProgram } from '../../scripts/machine.mjs'
import type { Feature } from './features.js'
import { run } from './readers.js'

/** What a test needs that starts it; all of it is optional. */
export const dockerFeatures: readonly Feature[] = ['tool:dockerd', 'tool:docker', 'tool:busybox', 'initial-user-namespace']

export interface Docker extends AsyncDisposable {
  /** The path of its socket. */
  readonly socket: string
  /** `docker …`, which must succeed; gives what it printed. */
  command(...args: string[]): Promise<string>
  /** `docker … inspect` of one thing. */
  inspect<T>(...args: string[]): Promise<T>
  /** `docker run` of a container that sleeps; gives its pid. */
  start(name: string, ...options: string[]): Promise<number>
}

/** The /sys of the isolated suite lies over the one with the control groups, which containers need; the daemon lifts it for itself. */
const underneath = 'umount /sys; exec "$@"'

/** Starts dockerd in a namespace, and gives it one image, made of nothing but busybox. */
export async function startDocker(namespace: string): Promise<Docker> {
  const folder = await mkdtemp(join(tmpdir(), 'netloom-docker-'))
  const enter = ['unshare', '--mount', 'sh', '-c', underneath, 'sh', 'nsenter', `--net=${namespace}`]
  const daemon = await startDaemon(folder, { enter, network: [] })
  const command = (...args: string[]) => run(undefined, daemon.engine.program, ...daemon.engine.arguments, ...args)
  const files = join(folder, 'files')
  await mkdir(files)
  await copyFile(findProgram('busybox') ?? '', join(files, 'busybox'))
  await run(undefined, 'tar', '-C', files, '-cf', join(folder, 'files.tar'), '.')
  await command('import', join(folder, 'files.tar'), 'stay')
  return {
    socket: join(folder, 'docker.sock'),
    command,
    inspect: async <T>(...args: string[]) => (JSON.parse(await command(...args)) as T[])[0] as T,
    async start(name, ...options) {
      await command('run', '--detach', '--name', name, ...options, 'stay', '/busybox', 'sleep', '100000')
      return Number(await command('inspect', '--format', '{{.State.Pid}}', name))
    },
    async [Symbol.asyncDispose]() {
      const containers = (await command('ps', '--all', '--quiet')).split('\n').filter(Boolean)
      if (containers.length) await command('rm', '--force', ...containers)
      await daemon.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
