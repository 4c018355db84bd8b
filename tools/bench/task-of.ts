// The task of a process of the bench. Apart from child.ts, so that the process does not load what starts processes.

/** The task that `runTask` was given, in the process. */
export function taskOf<T>(): T {
  return JSON.parse(process.argv[2]!) as T;
}
