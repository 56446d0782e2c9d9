// The elements of slices one by one: those that are there already cost a resolved promise each, and not a turn of two generators.

/** An async iterator over what arrives in slices. */
export class Elements<T, R> implements AsyncIterableIterator<T, R, void> {
  readonly #slices: AsyncGenerator<T[], R, void>
  #slice: readonly T[] = []
  #at = 0
  #fetching: Promise<IteratorResult<T[], R>> | undefined

  constructor(slices: AsyncGenerator<T[], R, void>) {
    this.#slices = slices
  }

  next(): Promise<IteratorResult<T, R>> {
    if (this.#at < this.#slice.length) return Promise.resolve({ done: false, value: this.#slice[this.#at++]! })
    return this.#fetch()
  }

  /** Ends the list where it is. */
  async return(value?: R | PromiseLike<R>): Promise<IteratorResult<T, R>> {
    this.#slice = []
    this.#at = 0
    return (await this.#slices.return(value as R)) as IteratorReturnResult<R>
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  /** Several calls at once share what one of them fetches. */
  async #fetch(): Promise<IteratorResult<T, R>> {
    this.#fetching ??= this.#slices.next().finally(() => {
      this.#fetching = undefined
    })
    const fetched = await this.#fetching
    if (fetched.done) return fetched
    if (this.#slice !== fetched.value) {
      this.#slice = fetched.value
      this.#at = 0
    }
    return this.next()
  }
}
