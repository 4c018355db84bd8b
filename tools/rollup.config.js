// Bundles the library into dist/lib and the program into dist/bin, from what TypeScript has put into dist/src and
// dist/tools.

// What one of our modules does when it is loaded matters only to those that use it: if nothing of it is used, it can be
// left out. Packages may do anything and take long: a chunk that imports one (CSV, tables) must not become a part of
// another chunk.
const treeshake = { moduleSideEffects: (_id, external) => external };

const spanWorker = 'dist/src/build/hash/span-worker.js';

export default [
  { input: ['dist/src/index.js', spanWorker], output: { dir: 'dist/lib' }, treeshake },
  {
    input: ['dist/tools/hmap.js', 'dist/tools/input/read-worker.js', spanWorker],
    // Bytes below which a chunk is merged with another: a command then loads 10 to 13 files at its start, not 17 to 21.
    output: { dir: 'dist/bin', experimentalMinChunkSize: 20_000 },
    treeshake,
  },
];
