// Inputs and outputs that others change while a build reads: what a build that ends well has written is the table of
// one version of its input, and a build that ends otherwise has changed nothing. Seeded; HMAP_TEST_CHANGES sets the
// rounds.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Source } from '../../tools/input/source.js';
import { hmapError } from '../support/errors.js';
import { Random } from '../support/random.js';
import { temporaryFolder } from '../support/temp.js';
import { fine, type Ran, start } from '../support/tools.js';
import { MIB } from './build-cases.js';
import { TEMPORARY } from './temporary-names.js';

const SEED = Number(process.env.HMAP_TEST_CHANGES_SEED ?? 1);
/** Of each kind of change, with one thread that reads and with several. */
const ROUNDS = Number(process.env.HMAP_TEST_CHANGES ?? 1);

/** A line's length; long ones, so that a file which several threads read is built soon. */
const LINE = 500;
const LINES = Math.ceil((66 * MIB) / LINE);

/** A table in text, all of whose values tell which version of it they are of. */
function version(name: string): Buffer {
  const text = Buffer.alloc(LINES * LINE, name);
  for (let i = 0; i < LINES; i++) {
    text.write(`key ${i}\t`, i * LINE);
    text[(i + 1) * LINE - 1] = 0x0a;
  }
  return text;
}

interface Place {
  folder: string;
  input: string;
  output: string;
  other: string;
  /** Where the folder of the output is when it is no longer in its place. */
  moved: string;
  random: Random;
}

/** Changes that leave the bytes which the build has opened as they are: it must end well. */
const HARMLESS: Record<string, (place: Place) => void> = {
  'the input is replaced': ({ input, other }) => renameSync(other, input),
  'the input is removed': ({ input }) => rmSync(input),
  'the input is renamed': ({ input, folder }) => renameSync(input, join(folder, 'renamed')),
  'the input gets another name': ({ input, folder }) => linkSync(input, join(folder, 'linked')),
  "the input's mode changes": ({ input }) => chmodSync(input, 0o400),
  'a link takes the place of the input': ({ input, other }) => {
    rmSync(input);
    symlinkSync(other, input);
  },
  'a folder takes the place of the input': ({ input }) => {
    rmSync(input);
    mkdirSync(input);
  },
  'the output is replaced': ({ output }) => {
    writeFileSync(`${output}.new`, 'new');
    renameSync(`${output}.new`, output);
  },
  'the output is removed': ({ output }) => rmSync(output),
  "the output's mode changes": ({ output }) => chmodSync(output, 0o600),
};

/** Changes of the bytes themselves: the build may have read all before. */
const HARMFUL: Record<string, (place: Place) => void> = {
  'the input is cut short': ({ input, random }) => truncateSync(input, random.below(LINES * LINE)),
  'the input is emptied': ({ input }) => truncateSync(input, 0),
  'the input grows': ({ input }) => appendFileSync(input, 'a\tb\n'),
  'the input is written anew': ({ input, other }) => copyFileSync(other, input),
  'a line of the input is written over': ({ input, random }) => {
    const fd = openSync(input, 'r+');
    writeSync(fd, 'B', random.below(LINES) * LINE + LINE - 2);
    closeSync(fd);
  },
};

/** Changes of the folder in which the output is: the build may find its place again, or not. */
const OF_FOLDER: Record<string, (place: Place) => void> = {
  'the folder of the output is renamed': ({ output, moved }) => renameSync(dirname(output), moved),
  'another folder takes its place': ({ output, moved }) => {
    renameSync(dirname(output), moved);
    mkdirSync(dirname(output));
  },
  'a link to it takes its place': ({ output, moved }) => {
    renameSync(dirname(output), moved);
    symlinkSync(moved, dirname(output));
  },
  'its mode changes': ({ output }) => chmodSync(dirname(output), 0o500),
};

/** Runs a build, and makes the change as soon as the build has opened its input, or a little later. */
async function changed(args: string[], place: Place, change: (place: Place) => void, delay: number): Promise<Ran> {
  const { child, ended } = start([...args, '--force', place.input, place.output]);
  const end = once(child, 'close');
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  while (!isOver() && !readdirSync(dirname(place.output)).some((name) => TEMPORARY.test(name))) await wait(2);
  await Promise.race([end, wait(delay)]);
  if (!isOver()) change(place);
  return ended;
}

describe('a build whose files others change', () => {
  const random = new Random(SEED);
  for (const [threads, options] of [
    ['several threads', ['--value', 'utf8']],
    // Named columns make it one.
    ['one thread', ['--value', 'utf8', '--value-column', '2']],
  ] as const) {
    test(`${threads}: the table of one version, or none (seed ${SEED})`, async (t) => {
      const shared = temporaryFolder(t);
      const [old, other] = [join(shared, 'old.tsv'), join(shared, 'other.tsv')];
      writeFileSync(old, version('A'));
      writeFileSync(other, version('B'));
      const args = ['build', ...options];
      await fine([...args, old, join(shared, 'old.hmap')]);
      const table = readFileSync(join(shared, 'old.hmap'));
      const seen = { refused: 0, built: 0 };
      for (const [name, change] of Object.entries({ ...HARMLESS, ...HARMFUL, ...OF_FOLDER })) {
        for (let round = 0; round < ROUNDS; round++) {
          const folder = temporaryFolder(t);
          const place = {
            folder,
            input: join(folder, 'in.tsv'),
            output: join(folder, 'out', 'out.hmap'),
            other: join(folder, 'b.tsv'),
            moved: join(folder, 'moved'),
            random,
          };
          mkdirSync(dirname(place.output));
          copyFileSync(old, place.input);
          copyFileSync(other, place.other);
          writeFileSync(place.output, 'what was here before');
          // An output's change must come before the build replaces it.
          const delay = name.includes('output') ? 0 : random.below(300);
          const { code, signal, stderr } = await changed(args, place, change, delay);
          const what = `${name} after ${delay} ms: ${code} ${signal} ${stderr}`;
          const isMoved = existsSync(place.moved);
          const output = isMoved ? join(place.moved, 'out.hmap') : place.output;
          if (code === 0) {
            assert.ok(readFileSync(output).equals(table), what);
            seen.built++;
          } else {
            assert.ok(!(name in HARMLESS) && code === 2, what);
            const message = name in HARMFUL ? /(has changed|was cut short) while it was read: / : /cannot write /;
            assert.match(stderr, new RegExp(`^hmap: .*${message.source}.*\\n$`), what);
            assert.equal(readFileSync(output, 'utf8'), 'what was here before', what);
            seen.refused++;
          }
          // What is in a folder that is no longer where it was, the next build there removes.
          const left = isMoved ? [] : readdirSync(dirname(output)).filter((file) => TEMPORARY.test(file));
          assert.deepEqual(left, [], what);
          rmSync(folder, { recursive: true });
        }
      }
      assert.ok(seen.refused > 0 && seen.built > 0, JSON.stringify(seen));
    });
  }
});

describe('a source', () => {
  const change = /has changed while it was read: it had 3000000 bytes, now \d+; start again$/;
  const cut = /was cut short while it was read: it ends at byte \d+, it had 3000000 bytes or more$/;
  for (const [name, act, message] of [
    ['grows', (path: string) => appendFileSync(path, 'x'), change],
    ['is cut short', (path: string) => truncateSync(path, 2_999_999), cut],
    ['is written over', (path: string) => writeFileSync(path, Buffer.alloc(3e6, 'y')), change],
  ] as const) {
    test(`that ${name} between two pieces is refused`, async (t) => {
      const path = join(temporaryFolder(t), 'input');
      writeFileSync(path, Buffer.alloc(3e6, 'x'));
      const source = new Source(path);
      t.after(() => source.close());
      // Later than the clock of the file system can take for the same time.
      await wait(20);
      const reading = async () => {
        for await (const piece of source.pieces()) if (source.done === piece.length) act(path);
      };
      await assert.rejects(reading(), hmapError('HMAP_INPUT', { message }));
    });
  }
});
