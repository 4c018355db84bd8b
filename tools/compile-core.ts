// Compiles the core (src/core/assembly) to WebAssembly, and writes it as a module of its own, so that there is no file
// that a bundle could lose. Part of `npm run build`; the names of functions stay in the code, for profiles.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const OUT = 'dist/core';
const FILES = ['--outFile', `${OUT}/core.wasm`, '--textFile', `${OUT}/core.wat`, '--sourceMap'];
const FLAGS = ['-O3', '--runtime', 'stub', '--noAssert', '--debug', '--enable', 'threads', '--enable', 'simd'];
/** Memories are those that files are mapped over (src/mapping/memories.ts). */
const MEMORY = ['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'];

mkdirSync(OUT, { recursive: true });
// As a program: its types are those of AssemblyScript, and would be those of all our sources.
const compiler = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js');
execFileSync(process.execPath, [compiler, 'src/core/assembly/index.ts', ...FILES, ...FLAGS, ...MEMORY], {
  stdio: 'inherit',
});
const code = readFileSync(`${OUT}/core.wasm`).toString('base64');
writeFileSync('dist/src/core/code.js', `export const CODE =\n  '${code}';\n`);
