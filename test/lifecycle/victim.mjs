// Applies the plan on its input, with as many threads as that says, and then deletes the result, saying what it does; to be killed at any moment. On the built library.
import { readFileSync, writeSync } from 'node:fs'
import { Plan } from '../../dist/index.js'

const say = line => writeSync(1, `${line}\n`)
const { threads, plan: json } = JSON.parse(readFileSync(0, 'utf8'))
const plan = Plan.fromJSON(json)
say('applying')
const result = await plan.apply({ threads }).catch(error => say(`refused ${error.code}`) && undefined)
if (result) {
  say('applied')
  await result.delete({ drain: true })
  say('deleted')
}
