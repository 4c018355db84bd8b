// The largest of many things, as they pass. Does not know what they are.

export class Top<T> {
  readonly #most: number;
  readonly #items: { readonly size: number; readonly item: T }[] = [];
  /** What an item must be larger than to be kept. */
  floor = -1;

  /** @param most how many are kept */
  constructor(most: number) {
    this.#most = most;
  }

  /** Keeps an item larger than {@link floor}; of those of one size, the first that came. */
  add(size: number, item: T): void {
    if (size <= this.floor) return;
    const items = this.#items;
    let at = items.length;
    while (at > 0 && items[at - 1]!.size < size) at--;
    items.splice(at, 0, { size, item });
    if (items.length > this.#most) items.pop();
    if (items.length === this.#most) this.floor = items[this.#most - 1]!.size;
  }

  /** The largest first. */
  get items(): T[] {
    return this.#items.map(({ item }) => item);
  }
}
