// The first line of a plan's record, as JSON.

/** Raised when older readers would take a record for something else than it is. */
export const recordVersion = 1

export interface IntentRecord {
  readonly netloom: typeof recordVersion
  /** 'apply': the plan is being made; 'delete': it is being taken back; 'names': names are being taken away, whoever made them. */
  readonly operation: 'apply' | 'delete' | 'names'
  readonly boot: string
  readonly writer: { readonly pid: number; readonly start: string }
  /** What the file under a name contains if the plan made it. */
  readonly mark: string
  /** Of the namespaces that the plan makes, by number, null for those without a name and those that are there; or that are being taken away. */
  readonly names: readonly (string | null)[]
  /** The namespaces that are there: how they were found, and how they are known again. */
  readonly existing: readonly {
    readonly number: number
    readonly use: object
    readonly device: number
    readonly inode: number
    readonly cookie?: string
  }[]
  /** Of links that stand in namespaces that are there, until the plan is complete. */
  readonly group?: number
  /** Names that links of the plan have in namespaces that are there; null: there is one that the kernel names. */
  readonly links: readonly (string | null)[]
}

/** undefined for what is no record of ours. */
export function readRecord(line: string | undefined): IntentRecord | undefined {
  if (line === undefined) return undefined
  const value: unknown = JSON.parse(line)
  if (typeof value !== 'object' || value === null || !('netloom' in value) || value.netloom !== recordVersion) return undefined
  return value as IntentRecord
}
