// Bundles what TypeScript has put into dist/src and dist/tools: the library into dist/lib, as ES modules and as CommonJS;
// the program into dist/bin, with the packages that it uses, over the chunks of the library.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import commonjs from '@rollup/plugin-commonjs';
import nodeResolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import license from 'rollup-plugin-license';

const external = ['xxhash-wasm'];

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const exported = Object.keys(await import('../dist/src/index.js'));

/**
 * The library's entry. ES modules and CommonJS are two copies of the code: in a process that loads both, the first to
 * come serves for both, so that there is one class `Table`, and one set of memories.
 */
const index = {
  name: 'index',
  resolveId: (id) => (id === 'index' ? id : null),
  load: (id) =>
    id === 'index'
      ? `import * as own from ${JSON.stringify(resolve('dist/src/index.js'))};
         const shared = (globalThis[Symbol.for('hmap ${version}')] ??= { ...own });
         export const { ${exported.join(', ')} } = shared;`
      : null,
};

// What one of our modules does when it is loaded matters only to those that use it: if nothing of it is used, it can be
// left out. Packages may do anything.
const isPackage = (id) => id.includes('/node_modules/');
const treeshake = { moduleSideEffects: (id, isExternal) => isExternal || isPackage(id) };

// Comments and names of variables are for those who read the sources; those of functions, classes and members stay, and
// a line for each statement, for those who read a stack trace. Of packages nobody reads more than the names of functions.
const names = { keep_classnames: true, keep_fnames: true };
const forReaders = terser({
  compress: false,
  // Tools that collect what a program needs look for calls by these names.
  mangle: { ...names, reserved: ['require', 'createRequire'] },
  format: { beautify: true, comments: false, indent_level: 0 },
});
const small = terser({ ...names, format: { comments: false } });
/** What stands for the `#` of private members meanwhile: terser would give them other names. */
const PRIVATE = '$private$';
const plugins = [
  {
    ...forReaders,
    async renderChunk(code, chunk, options, meta) {
      const isOfPackages = chunk.moduleIds.every((id) => isPackage(id) || id.startsWith('\0'));
      if (isOfPackages) return small.renderChunk.call(this, code, chunk, options, meta);
      const open = code.replaceAll(/#(?=[A-Za-z_$])/g, PRIVATE);
      const made = await forReaders.renderChunk.call(this, open, chunk, options, meta);
      return made.replaceAll(PRIVATE, '#');
    },
  },
];

/** The stores are files of their own over the library, which they import as users do. */
const STORES = ['keyv', 'unstorage'];
const overLibrary = (file) => ({
  name: 'over-library',
  resolveId: (id, importer) =>
    id === '../index.js' && importer?.includes('/dist/src/stores/') ? { id: file, external: true } : null,
});
const storesOf = (format, end) =>
  STORES.map((name) => ({
    input: `dist/src/stores/${name}.js`,
    output: { file: `dist/lib/${name}${end}`, format, plugins },
    plugins: [overLibrary(`./index${end}`)],
    treeshake,
  }));

/** What is read from a web server runs without Node: this stands for what its modules ask of Node. */
const WITHOUT_NODE = resolve('dist/src/remote/without-node.js');
/** Offsets of the header's fields, in the place of their names. */
const { HEADER } = await import('../dist/src/format/constants.js');
const offsets = {
  name: 'offsets',
  transform: (code) => ({ code: code.replaceAll(/\bHEADER\.(\w+)/g, (_, name) => HEADER[name]), map: null }),
};
const withoutNode = {
  name: 'without-node',
  resolveId: (id) =>
    /^node:(buffer|url|util|util\/types|worker_threads)$|\/(base\/text|nearest)\.js$/.test(id) ? WITHOUT_NODE : null,
  transform: (code, id) =>
    /\bBuffer\b/.test(code) && id !== WITHOUT_NODE
      ? { code: `import { Buffer } from ${JSON.stringify(WITHOUT_NODE)};\n${code}`, map: null }
      : null,
};
/** For browsers, where each byte is a byte to load. */
const minified = terser({
  module: true,
  compress: { passes: 4, ecma: 2022, pure_getters: true, unsafe_arrows: true, keep_fargs: false },
  format: { comments: false },
});
const smallest = {
  ...minified,
  async renderChunk(code, ...rest) {
    const made = await minified.renderChunk.call(this, code, ...rest);
    // Names of private members, which terser keeps.
    const names = [...new Set(made.match(/#[A-Za-z_]\w*/g) ?? [])];
    return {
      code: made.replaceAll(/#[A-Za-z_]\w*/g, (name) => `#${names.indexOf(name).toString(36).replace(/^\d/, '_$&')}`),
      map: null,
    };
  },
};
/** Only tables of structs need what knows structs: it is a chunk that is loaded when one is opened. */
const LATE_STRUCTS = resolve('dist/src/remote/late-structs.js');
const lateStructs = {
  name: 'late-structs',
  resolveId: (id, importer) =>
    /\/(structs|schema|bit-fields)\.js$/.test(id) && !/\/(struct-code|schema|bit-fields)\.js$/.test(importer ?? '')
      ? LATE_STRUCTS
      : null,
};
const REMOTE_PARTS = { 'struct-code': 'structs', 'find-fingerprint': 'fingerprints', 'distinct-value': 'enum' };
const remote = (format, end) => ({
  input: { remote: 'dist/src/remote/open-url.js' },
  output: {
    dir: 'dist/lib',
    format,
    dynamicImportInCjs: false,
    entryFileNames: `[name]${end}`,
    chunkFileNames: ({ name }) => `remote-${REMOTE_PARTS[name]}-[hash]${end}`,
    plugins: [smallest],
  },
  plugins: [lateStructs, withoutNode, offsets],
  preserveEntrySignatures: 'allow-extension',
  treeshake: { moduleSideEffects: false },
});

/** Packages take long to load: each has a chunk to itself, which only commands load that use it; what they need, another. */
const PACKAGES = [
  'commander',
  'csv-parse',
  'csv-stringify',
  'cli-table3',
  'cli-progress',
  'd3',
  'fastest-levenshtein',
  'fzstd',
  'hyparquet',
];

/**
 * The library's chunks, each what an entry needs beyond those before it: what `import 'hmap'` loads, what a thread that
 * writes loads, and what is loaded when it is first used. The program's own chunks lie over them.
 */
const CHUNKS = [
  ['library', '/dist/src/index.js'],
  ['span-writer', '/dist/src/build/hash/span-worker.js'],
  ['build', '/dist/src/build/build.js'],
  ['merge', '/dist/src/build/merge/shards.js'],
  ['stat', '/dist/src/inspect/stat.js'],
];

/** What draws charts, which is many packages. */
const DRAWING = /\/node_modules\/(d3-[a-z-]+|internmap)\//;

function chunkOf(id, graph) {
  if (isPackage(id))
    return (
      PACKAGES.find((name) => id.includes(`/node_modules/${name}/`) || (name === 'd3' && DRAWING.test(id))) ??
      'packages'
    );
  needs ??= CHUNKS.map(([chunk, entry]) => [chunk, neededAtOnce(entry, graph)]);
  const isEntry = id.endsWith('/span-worker.js');
  return isEntry ? undefined : needs.find(([, ids]) => ids.has(id))?.[0];
}

let needs;

function neededAtOnce(entry, { getModuleIds, getModuleInfo }) {
  const needed = new Set([...getModuleIds()].filter((id) => id.endsWith(entry)));
  for (const id of needed) {
    for (const next of getModuleInfo(id).importedIds) if (!getModuleInfo(next).isExternal) needed.add(next);
  }
  return needed;
}

/** Where a CommonJS file lies; a bundler that makes an ES module of it knows no `__filename`. */
const commonJsUrl = {
  name: 'commonjs-url',
  resolveImportMeta: (property) =>
    property === 'url'
      ? "(typeof __filename === 'undefined' ? undefined : require('node:url').pathToFileURL(__filename).href)"
      : null,
};

export default [
  {
    input: {
      'lib/index': 'index',
      'lib/span-worker': 'dist/src/build/hash/span-worker.js',
      'bin/hmap': 'dist/tools/hmap.js',
      'bin/read-worker': 'dist/tools/input/read-worker.js',
    },
    external,
    output: {
      dir: 'dist',
      chunkFileNames: ({ moduleIds }) =>
        moduleIds.every((id) => id.includes('/dist/src/')) ? 'lib/[name]-[hash].js' : 'bin/[name]-[hash].js',
      // Bytes below which a chunk is merged with another: a command then loads fewer files at its start.
      experimentalMinChunkSize: 20_000,
      manualChunks: chunkOf,
      plugins,
    },
    plugins: [
      index,
      nodeResolve(),
      commonjs({ ignoreTryCatch: true }),
      license({
        thirdParty: {
          output: 'dist/bin/LICENSES.txt',
          allow: { test: '(MIT OR ISC OR BSD-2-Clause)', failOnViolation: true },
        },
      }),
    ],
    treeshake,
  },
  {
    // Its threads run the worker of the other form, which lies beside it.
    input: 'index',
    external,
    output: {
      dir: 'dist/lib',
      format: 'cjs',
      // Jest cannot import from what it has required.
      dynamicImportInCjs: false,
      entryFileNames: '[name].cjs',
      chunkFileNames: '[name]-[hash].cjs',
      plugins,
    },
    plugins: [index, commonJsUrl],
    treeshake,
  },
  {
    // The script of a report's page, which the command puts into it.
    input: 'dist/tools/report/lookup-box.js',
    output: { file: 'dist/bin/report-box.js', format: 'iife', plugins: [small] },
    treeshake: { moduleSideEffects: (id) => id.endsWith('/lookup-box.js') },
  },
  remote('es', '.js'),
  remote('cjs', '.cjs'),
  ...storesOf('es', '.js'),
  ...storesOf('cjs', '.cjs'),
];
