// An explanation as a person would tell it.
import type { Cause, Cure, ExplainStep, Explanation, Outcome, Way } from './result.js'

const signs: Readonly<Record<Outcome, string>> = { passes: '✓', dropped: '✗', unknown: '?' }
const openings: Readonly<Record<Outcome, string>> = {
  passes: 'passes',
  dropped: 'does not get through',
  unknown: 'may or may not get through',
}
const ways: Readonly<Record<Way, string>> = { there: 'The way there', back: 'The way back of the answer' }

/** Several lines: what becomes of the packet, why and how to cure it, and then its way step by step. */
export function explanationText({ subject, verdict, causes, steps }: Explanation): string {
  return [
    `${subject}: ${openings[verdict]}.`,
    ...causes.flatMap(causeLines),
    ...(['there', 'back'] as const).flatMap(way =>
      wayLines(
        way,
        steps.filter(step => step.way === way),
      ),
    ),
  ].join('\n')
}

function causeLines(cause: Cause, index: number): string[] {
  const { text, cures, behind, way } = cause
  const when = behind ? 'then ' : ''
  return [
    '',
    `${index + 1}. ${when}${way === 'back' ? 'on the way back, ' : ''}${text}.`,
    ...cures.map((cure, i) => `   ${i === 0 ? 'Cure' : 'Or'}: ${cureText(cure)}`),
  ]
}

export function cureText({ text, calls }: Cure): string {
  return calls ? `${text}: ${calls.map(({ namespace, call }) => `in ${namespace} ${call}`).join(', ')}` : text
}

function wayLines(way: Way, steps: readonly ExplainStep[]): string[] {
  if (steps.length === 0) return []
  const places = steps.map(({ namespace, link }) => (link === undefined ? namespace : `${namespace} ${link}`))
  const width = Math.max(...places.map(({ length }) => length))
  return ['', `${ways[way]}:`, ...steps.map(({ outcome, text }, i) => `  ${signs[outcome]} ${places[i]!.padEnd(width)}  ${text}`)]
}
