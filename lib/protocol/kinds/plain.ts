// Kinds of links without options of their own.
import { attributes } from '../../codec/table.js'

/** Swallows what is sent to it. */
export const dummy = attributes('IFLA_DUMMY', {})
/** Where ingress traffic of other links is redirected to be shaped. */
export const ifb = attributes('IFLA_IFB', {})
