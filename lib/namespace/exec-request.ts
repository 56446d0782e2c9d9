// The message to the process that prepares mounts and then becomes the command: packed into its arguments and environment.
// The user's variables travel as values under names of ours, so that NODE_OPTIONS and its kind do nothing on the way.

import type { ExecOptions } from '../socket/native.js'

/** What the helper is told; what it binds it finds out itself. */
export interface ExecRequest extends Omit<ExecOptions, 'binds'> {
  /** Whose files under /etc/netns are put over those in /etc. */
  readonly namespaceName?: string | undefined
}

const SETTINGS = 'NETLOOM_EXEC'
const VARIABLE = 'NETLOOM_EXEC_'

/** What node may need to start at all, and PATH, by which the command is found. */
export function packRequest(request: ExecRequest, libraryPath: string | undefined): { args: string[]; env: Record<string, string> } {
  const { command, args, env, ...settings } = request
  const packed: Record<string, string> = { [SETTINGS]: JSON.stringify(settings) }
  env.forEach((entry, i) => {
    packed[VARIABLE + i] = entry
  })
  const path = env.find(entry => entry.startsWith('PATH='))
  if (path !== undefined) packed.PATH = path.slice('PATH='.length)
  if (libraryPath !== undefined) packed.LD_LIBRARY_PATH = libraryPath
  return { args: [command, ...args], env: packed }
}

/** The request in the arguments after the script and the environment; undefined when there is none. */
export function unpackRequest(args: readonly string[], env: Readonly<Record<string, string | undefined>>): ExecRequest | undefined {
  const [command, ...rest] = args
  const settings = env[SETTINGS]
  if (command === undefined || settings === undefined) return undefined
  const variables: string[] = []
  for (let i = 0; ; i++) {
    const entry = env[VARIABLE + i]
    if (entry === undefined) break
    variables.push(entry)
  }
  return { ...JSON.parse(settings), command, args: rest, env: variables }
}
