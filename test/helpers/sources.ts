// The project's own files, and what a TypeScript file imports: for the tests that keep the layers and the conventions.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** What .gitignore keeps out of the repository, and the repository's own folder. */
const outside = [
  '.git',
  ...readFileSync(join(root, '.gitignore'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map(line => line.replace(/\/$/, '')),
]
const isOutside = (name: string) => outside.some(pattern => (pattern.startsWith('*') ? name.endsWith(pattern.slice(1)) : name === pattern))

/** Every file of the project, or of one folder of it, by its path from the top. */
export function projectFiles(folder = '.'): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true }).filter(entry => !isOutside(entry.name))
  return entries.flatMap(entry => {
    const path = normalize(join(folder, entry.name))
    return entry.isDirectory() ? projectFiles(path) : entry.isFile() ? [path] : []
  })
}

/** The text of a file of the project. */
export const textOf = (path: string): string => readFileSync(join(root, path), 'utf8')

export interface Import {
  /** For a file of the project its path from the top, as the source is named ('lib/codec/ip.ts'); otherwise the package as written. */
  readonly target: string
  readonly inside: boolean
  /** Erased by the compiler: nothing is loaded when the program runs. */
  readonly typeOnly: boolean
}

/** What a TypeScript file imports, re-exports or loads with import(). */
export function importsOf(path: string): Import[] {
  const found: Import[] = []
  const add = (specifier: ts.Expression | undefined, typeOnly: boolean) => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return
    const inside = specifier.text.startsWith('.')
    const target = inside ? relative('.', join(dirname(path), specifier.text)).replace(/\.js$/, '.ts') : specifier.text
    found.push({ target, inside, typeOnly })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword)
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0], false)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal as ts.Expression, true)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, textOf(path), ts.ScriptTarget.Latest))
  return found
}
