// How long tests wait before they call something stuck: longer under a sanitizer (scripts/sanitized.mjs), and as many times as long as NETLOOM_SLOWNESS says.

const { NETLOOM_SANITIZER: sanitizer, NETLOOM_SLOWNESS: slowness = sanitizer === undefined ? 1 : 5 } = process.env

/** Milliseconds: those of an idle machine, times the slowness. */
export const patience = (milliseconds: number): number => milliseconds * Number(slowness)
