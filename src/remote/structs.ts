// What tables of structs need, and no others. There is nothing to wait for where all of the code is there; the bundler puts
// late-structs.ts in its place, since most pages need none of it.

/** Resolves when tables of structs can be read. */
export async function loadStructs(): Promise<void> {}
