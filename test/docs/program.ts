// TypeScript from the documentation: checked as a user's program would be, and run.
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const top = new URL('../../', import.meta.url)

/** What the compiler has to say about programs that stand beside package.json: nothing, if all is well. */
export function typeProblems(programs: readonly { readonly name: string; readonly text: string }[]): string[] {
  const files = programs.map(({ name, text }) => ({ name: fileURLToPath(new URL(name, top)), text }))
  const config = ts.readConfigFile(fileURLToPath(new URL('tsconfig.json', top)), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, fileURLToPath(top))
  const host = ts.createCompilerHost(options)
  const own = (name: string) => files.find(file => file.name === name)?.text
  const { getSourceFile, fileExists, readFile } = host
  host.getSourceFile = (name, language, ...rest) => {
    const text = own(name)
    return text === undefined ? getSourceFile.call(host, name, language, ...rest) : ts.createSourceFile(name, text, language)
  }
  host.fileExists = name => own(name) !== undefined || fileExists.call(host, name)
  host.readFile = name => own(name) ?? readFile.call(host, name)
  const names = files.map(({ name }) => name)
  const program = ts.createProgram(names, { ...options, noEmit: true }, host)
  const problems = names.flatMap(name => [...ts.getPreEmitDiagnostics(program, program.getSourceFile(name))])
  return problems.map(({ messageText, file, start = 0 }) => {
    const line = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0
    return `${file?.fileName}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}

/** As JavaScript. */
export const compiled = (text: string): string =>
  ts.transpileModule(text, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } }).outputText

const AsyncFunction = (async () => undefined).constructor as FunctionConstructor

/** Runs statements, the last of which may be an expression: its value is the result. `scope` has the names that they may use. */
export async function evaluate(text: string, scope: Readonly<Record<string, unknown>>): Promise<unknown> {
  const body = ts.createSourceFile('body.ts', text, ts.ScriptTarget.ES2022)
  const last = body.statements.at(-1)
  const returning =
    last && ts.isExpressionStatement(last) ? `${text.slice(0, last.getStart(body))}return ${text.slice(last.getStart(body))}` : text
  // `return` stands in a function only, and the compiler must see it in one.
  const code = compiled(`async function body() {\n${returning}\n}`)
  return new AsyncFunction(...Object.keys(scope), `${code}\nreturn body()`)(...Object.values(scope))
}
