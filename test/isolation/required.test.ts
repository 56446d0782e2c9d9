// What this run must have: a tool or feature on the list in NETLOOM_REQUIRE that is missing fails, whether a test asks for it or not.

import { expect, test } from 'vitest'
import { isFeature, missing, required } from '../helpers/features.js'

test('every tool and feature on the list in NETLOOM_REQUIRE is there', async () => {
  const complaints = await Promise.all(
    required().map(async name => (isFeature(name) ? await missing(name) : `NETLOOM_REQUIRE names ${name}, which no probe knows`)),
  )
  expect(complaints.filter(complaint => complaint !== undefined)).toEqual([])
})
