// An OCI runtime for machines whose root lacks CAP_SYS_RESOURCE: takes that capability off what is asked for, then runs runc.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const lacking = 'CAP_SYS_RESOURCE'
const args = process.argv.slice(2)
const argument = name => args.find(word => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? args[args.indexOf(name) + 1]
const command = args.find(word => ['create', 'run', 'exec', 'restore'].includes(word))

if (command === 'exec' && (args.includes('--process') || args.includes('-p')))
  rewrite(argument(args.includes('-p') ? '-p' : '--process'), file => file)
else if (command !== undefined && command !== 'exec')
  rewrite(join(argument(args.includes('-b') ? '-b' : '--bundle'), 'config.json'), file => file.process)

const { status, error } = spawnSync('runc', args, { stdio: 'inherit' })
if (error) throw error
process.exitCode = status ?? 1

function rewrite(path, processOf) {
  if (!existsSync(path)) return
  const file = JSON.parse(readFileSync(path, 'utf8'))
  const capabilities = processOf(file)?.capabilities ?? {}
  for (const set of Object.keys(capabilities)) capabilities[set] = capabilities[set].filter(name => name !== lacking)
  writeFileSync(path, JSON.stringify(file))
}
