// The tests and the library as JavaScript, in an archive that a guest unpacks over the checkout: compiling is too slow where the processor is emulated.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { demand } from './kernels-fetch.mjs'

/** Writes the archive `file`, which unpacks in the checkout. */
export async function compileInto(file) {
  // In a fresh clone it is installed only after this script has been loaded.
  const { default: ts } = await import('typescript')
  const options = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
    // Stack traces name the lines of the compiled text; these keep it close to what was written.
    removeComments: false,
  }
  const folder = `${file}.files`
  for (const part of ['lib', 'test'])
    for (const entry of readdirSync(part, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts') || entry.name.endsWith('.d.ts')) continue
      const source = join(entry.parentPath ?? entry.path, entry.name)
      const target = join(folder, source.replace(/ts$/, 'js'))
      mkdirSync(dirname(target), { recursive: true })
      writeFileSync(target, ts.transpileModule(readFileSync(source, 'utf8'), { compilerOptions: options, fileName: source }).outputText)
    }
  demand(['tar', '--create', '--file', file, '--directory', folder, '.'])
  rmSync(folder, { recursive: true })
}
