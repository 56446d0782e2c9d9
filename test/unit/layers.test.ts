// The arrows between the layers of lib/ run one way (docs/architecture.md shows them), and only two layers know the native addon.

import { expect, test } from 'vitest'
import { type Import, importsOf, projectFiles, textOf } from '../helpers/sources.js'

/** What the files of a layer may import besides one another; 'top' is lib/index.ts and its like. */
const below: Record<string, readonly string[]> = {
  codec: [],
  protocol: ['codec'],
  socket: ['codec', 'protocol'],
  namespace: ['codec', 'protocol', 'socket'],
  kernel: ['codec', 'protocol', 'socket', 'namespace'],
  explain: ['codec', 'protocol', 'socket', 'namespace', 'kernel'],
  plan: ['codec', 'protocol', 'socket', 'namespace', 'kernel'],
  topology: ['codec', 'protocol', 'socket', 'namespace', 'kernel', 'explain', 'plan'],
  network: ['codec', 'protocol', 'socket', 'namespace', 'kernel', 'explain', 'plan', 'topology'],
  top: ['codec', 'protocol', 'socket', 'namespace', 'kernel', 'explain', 'plan', 'network', 'topology'],
  testing: ['codec', 'protocol', 'socket', 'namespace', 'kernel', 'explain', 'plan', 'network', 'topology', 'top'],
  cli: ['codec', 'protocol', 'socket', 'namespace', 'kernel', 'explain', 'plan', 'network', 'topology', 'top'],
}

const files = projectFiles('lib').filter(path => path.endsWith('.ts'))
const layerOf = (path: string) => /^lib\/([^/]+)\//.exec(path)?.[1] ?? 'top'
const imports = new Map<string, Import[]>(files.map(path => [path, importsOf(path)]))
const every = [...imports].flatMap(([path, list]) => list.map(one => ({ ...one, path })))

test('every folder of lib is a layer', () => {
  expect(files.filter(path => !Object.hasOwn(below, layerOf(path)))).toEqual([])
})

test('nothing imports upwards, not even a type', () => {
  const upwards = every.filter(({ path, target, inside }) => {
    const [from, to] = [layerOf(path), layerOf(target)]
    return inside && from !== to && !below[from]?.includes(to)
  })
  expect(upwards.map(({ path, target }) => `${path} → ${target}`)).toEqual([])
})

test('only lib/socket and lib/namespace load the native addon', () => {
  const strangers = every.filter(
    ({ path, target, typeOnly }) => !typeOnly && target === 'lib/socket/native.ts' && !['socket', 'namespace'].includes(layerOf(path)),
  )
  expect(strangers.map(({ path }) => path)).toEqual([])
})

test('no files import each other in a circle', () => {
  // A type is gone when the program runs, so a circle of types cannot meet half-loaded modules.
  const done = new Set<string>()
  const circles: string[] = []
  const walk = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(' → '))
    if (done.has(path)) return
    done.add(path)
    for (const one of imports.get(path) ?? []) if (one.inside && !one.typeOnly) walk(one.target, [...way, path])
  }
  for (const path of files) walk(path, [])
  expect([...new Set(circles)]).toEqual([])
})

test('lib imports from Node and from declared dependencies only', () => {
  const declared = Object.keys((JSON.parse(textOf('package.json')) as { dependencies: object }).dependencies)
  const strangers = every.filter(({ target, inside }) => !inside && !target.startsWith('node:') && !declared.includes(target))
  expect(strangers.map(({ path, target }) => `${path} → ${target}`)).toEqual([])
})

test('processes are started by lib/namespace, lib/testing and lib/cli only', () => {
  const strangers = every.filter(
    ({ path, target, typeOnly }) =>
      !typeOnly && target === 'node:child_process' && !['namespace', 'testing', 'cli'].includes(layerOf(path)),
  )
  expect(strangers.map(({ path }) => path)).toEqual([])
})
