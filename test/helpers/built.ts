// Programs of a test's own that run the built library in a process of their own: with other rights, in other mounts, or with threads untouched.
import { fileURLToPath } from 'node:url'
import { attempt, type Finished, type Where } from './readers.js'

const dist = new URL('../../dist/', import.meta.url)

/** The lines before a program's own: named exports of built files, { 'namespace/spawn': ['spawn'] }. */
const imports = (wanted: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(wanted).map(([file, names]) => `import { ${names.join(', ')} } from ${JSON.stringify(new URL(`${file}.js`, dist).href)}`)

/** The command that runs a program (an ES module's text) with those exports in scope. */
export const builtCommand = (wanted: Readonly<Record<string, readonly string[]>>, program: string): [string, ...string[]] => [
  process.execPath,
  '--input-type=module',
  '--eval',
  [...imports(wanted), program].join('\n'),
]

/** Runs it; `before` are words in front of node, such as setpriv and its options. What it prints as JSON is `json`. */
export async function runBuilt(
  wanted: Readonly<Record<string, readonly string[]>>,
  program: string,
  { before = [], where, input = '' }: { before?: readonly string[]; where?: Where; input?: string } = {},
): Promise<Finished & { json: unknown }> {
  const [command = '', ...args] = [...before, ...builtCommand(wanted, program)]
  const finished = await attempt(where, command, args, input)
  if (finished.code !== 0) throw new Error(`exit code ${finished.code}: ${finished.stderr}`)
  return { ...finished, json: finished.stdout.startsWith('{') || finished.stdout.startsWith('[') ? JSON.parse(finished.stdout) : undefined }
}

/** The folder of the built library. */
export const distFolder = fileURLToPath(dist)
