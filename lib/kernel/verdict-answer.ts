// Answers that may be "that depends": what verdicts of iptables and of nftables reckon with.

/** Undefined: what is known does not decide it. */
export type Answer = boolean | undefined

/** All hold; one that certainly does not is enough to say no. */
export function every(answers: Iterable<Answer>): Answer {
  let known = true
  for (const answer of answers) {
    if (answer === false) return false
    if (answer === undefined) known = false
  }
  return known || undefined
}
export const not = (answer: Answer, inverted: boolean): Answer => (answer === undefined ? undefined : answer !== inverted)
