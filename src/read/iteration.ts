// An iterator as a class: V8 compiles one into the loop that uses it, which it does not do with generators (by how
// much: native-notes/performance.md). Behaves as a generator does; knows nothing of tables.

/** What an iteration does, once it has begun. */
export interface Steps<R> {
  /** Moves on; `false` at the end. */
  step(): boolean;
  take(): R;
  /** Called once, however it ends. */
  end(): void;
}

/** What all iterators of the runtime inherit: `Symbol.iterator`, and where they have them `map`, `filter` and so on. */
const ITERATOR_PROTOTYPE: object = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));

/** An iterator's prototype as a class of its own to inherit from: not every runtime has the global `Iterator`. */
const RuntimeIterator = class {} as unknown as new <R>() => Pick<
  Generator<R, undefined, unknown>,
  typeof Symbol.iterator | typeof Symbol.dispose
>;
Object.setPrototypeOf(RuntimeIterator.prototype, ITERATOR_PROTOTYPE);

export class Iteration<R> extends RuntimeIterator<R> implements Generator<R, undefined, unknown> {
  #begin: (() => Steps<R>) | undefined;
  #steps: Steps<R> | undefined;

  /** @param begin called at the first step */
  constructor(begin: () => Steps<R>) {
    super();
    this.#begin = begin;
  }

  next(): IteratorResult<R, undefined> {
    try {
      if (this.#begin !== undefined) {
        const begin = this.#begin;
        this.#begin = undefined;
        this.#steps = begin();
      }
      const steps = this.#steps;
      if (steps?.step()) return { done: false, value: steps.take() };
    } catch (error) {
      this.#end();
      throw error;
    }
    this.#end();
    return { done: true, value: undefined };
  }

  return(value?: undefined): IteratorResult<R, undefined> {
    this.#end();
    return { done: true, value };
  }

  throw(error: unknown): never {
    this.#end();
    throw error;
  }

  #end(): void {
    const steps = this.#steps;
    this.#begin = undefined;
    this.#steps = undefined;
    steps?.end();
  }
}

/** One iteration after the other. */
export function inTurn<P, R>(parts: readonly P[], begin: (part: P) => Steps<R>, end: () => void): Steps<R> {
  let next = 0;
  let current: Steps<R> | undefined;
  return {
    step() {
      for (;;) {
        if (current?.step()) return true;
        current?.end();
        current = undefined;
        if (next === parts.length) return false;
        current = begin(parts[next++]!);
      }
    },
    take: () => current!.take(),
    end() {
      current?.end();
      end();
    },
  };
}
