// Elements that are made when they are first asked for. Knows nothing of them.

/** An array of a known length, of which most elements may never be needed. */
export class LazyArray<T extends object> {
  // Not private: V8 inlines by the length of bytecode, which a private name makes longer.
  readonly made: (T | undefined)[];
  readonly make: (index: number) => T;

  /** @param make is called once for each element that is asked for */
  constructor(length: number, make: (index: number) => T) {
    this.made = new Array<undefined>(length).fill(undefined);
    this.make = make;
  }

  get length(): number {
    return this.made.length;
  }

  /** @param index in [0, length) */
  at(index: number): T {
    return this.made[index] ?? this.first(index);
  }

  private first(index: number): T {
    const element = this.make(index);
    this.made[index] = element;
    return element;
  }
}
