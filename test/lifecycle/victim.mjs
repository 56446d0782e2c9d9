// Applies the plan on its input, with as many threads as its argument says, and then deletes the result, saying what it does; to be killed at any moment. On the built library.
import { readFileSync, writeSync } from 'node:fs'
import process from 'node:process'
import { Plan } from '../../dist/index.js'

const say = line => writeSync(1, `${line}\n`)
const plan = Plan.fromJSON(JSON.parse(readFileSync(0, 'utf8')))
say('applying')
const result = await plan.apply({ threads: Number(process.argv[2] ?? 1) }).catch(error => say(`refused ${error.code}`) && undefined)
if (result) {
  say('applied')
  await result.delete({ drain: true })
  say('deleted')
}
