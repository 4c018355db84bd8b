// hmap get: looks keys up.

import { type Command, Option } from 'commander';
import { type Check, type FingerprintTable, HmapError, type KeyType, open } from '../../src/index.js';
import { ByteBuffer, encodeKeyText, fileHeader, scratch, showKey } from '../../src/internal.js';
import type { TextPrinter } from '../formats/numbers.js';
import { jsonKeyPrinter, jsonPrinter, textPrinter } from '../formats/text.js';
import { EXIT, exitWith, say, tellIfWaiting, warn } from '../terminal/cli.js';
import { examples } from '../terminal/help.js';
import { Output } from '../terminal/output.js';

interface Options {
  json?: boolean;
  null?: boolean;
  check: Check;
}

export function addGet(program: Command): void {
  const command = program
    .command('get')
    .summary('look up keys')
    .description(
      'Prints the values of keys, one per line, in the order given. A missing key is reported on stderr, and the exit code is ' +
        'then 1. Keys are given as the text of the table\'s key type; for a list or a bit array they are integers. A set prints "true" for each key in it. A table with fingerprints in place of keys (hmap stat shows it) finds each of its keys, and a few that it does not have. Each key costs a few page reads, whatever the size of the file.',
    )
    .argument('<file>', 'the .hmap file')
    .argument('<key...>', 'keys; a single - reads them from stdin, one a line')
    .option('--json', 'print one JSON object per key, with the members key, found and value')
    .option('-0, --null', 'keys on stdin end with NUL instead of a newline')
    .addOption(
      new Option(
        '--check <what>',
        'what to compare with its checksum: the header, each block before it is used, or the whole file up front',
      )
        .choices(['header', 'touch', 'full'])
        .default('touch'),
    )
    .action(runGet);
  examples(
    command,
    'hmap get words.hmap apple pear',
    'hmap get deltas.hmap -- -5',
    'cut -f1 ids.tsv | hmap get --json table.hmap -',
  );
}

async function runGet(file: string, keys: string[], options: Options): Promise<void> {
  const { layout, fingerprint } = fileHeader(file);
  const { check, json = false } = options;
  const printer =
    layout === 'hash'
      ? new Printer(openTable(file, fingerprint !== null, check), json)
      : new (await import('./keyless.js')).KeylessPrinter(file, layout, check, json);
  await printAll(printer, keys, options);
  const isOne = keys.length === 1 && keys[0] !== '-';
  if (isOne && printer.missing === 1 && !json) say('(hmap explain shows why)');
  exitWith(printer.missing === 0 ? EXIT.fine : EXIT.findings);
}

/** Tables of both kinds answer alike; the help says what an answer of fingerprints is worth. */
function openTable(file: string, fingerprint: boolean, check: Check): FingerprintTable<unknown, Uint8Array> {
  return fingerprint ? open(file, { key: 'bytes', check, fingerprint }) : open(file, { key: 'bytes', check });
}

/** What prints the answers for keys. */
interface KeyPrinter {
  readonly out: Output;
  print(keys: Buffer[]): Promise<void>;
  close(): void;
}

async function printAll(printer: KeyPrinter, keys: string[], options: Options): Promise<void> {
  try {
    if (keys.length === 1 && keys[0] === '-') {
      tellIfWaiting('keys');
      await eachKey(process.stdin, options.null === true ? 0 : 0x0a, async (batch) => {
        await printer.print(batch);
        // A program at the other end of a pipe may wait for the answer before it asks again.
        await printer.out.flush();
      });
    } else {
      await printer.print(keys.map((key) => Buffer.from(key)));
    }
    await printer.out.flush();
  } finally {
    printer.close();
  }
}

/** Calls `take` with the keys of each piece of input. */
async function eachKey(
  input: AsyncIterable<Uint8Array>,
  separator: number,
  take: (batch: Buffer[]) => Promise<void>,
): Promise<void> {
  // The start of a key whose end has not come yet: pieces, since to join them with each new one is quadratic.
  let rest: Buffer[] = [];
  let restBytes = 0;
  let count = 0;
  const whole = (last: Buffer) => {
    const key = rest.length === 0 ? last : Buffer.concat([...rest, last]);
    rest = [];
    restBytes = 0;
    count++;
    return withoutReturn(key, separator);
  };
  for await (const piece of input) {
    const bytes = Buffer.from(piece);
    const batch: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(separator); end >= 0; end = bytes.indexOf(separator, start)) {
      batch.push(whole(bytes.subarray(start, end)));
      start = end + 1;
    }
    await take(batch);
    if (start < bytes.length) rest.push(bytes.subarray(start));
    restBytes += bytes.length - start;
    if (restBytes > LONGEST_KEY) {
      throw new HmapError('HMAP_INPUT', `stdin: key ${count + 1} of the input has more than ${LONGEST_KEY} bytes`);
    }
  }
  if (restBytes > 0) await take([whole(Buffer.alloc(0))]);
}

/** Bytes of a key that is looked up: far more than any has. */
const LONGEST_KEY = 2 ** 20;

/** Lines may end with CR LF, as the formats that `build` reads may. */
function withoutReturn(key: Buffer, separator: number): Buffer {
  return separator === 0x0a && key.at(-1) === 0x0d ? key.subarray(0, -1) : key;
}

/** Keys of one piece of input from which on it pays to look them up together, and to bring their pages in first. */
const MANY = 8;
/** The share of a file from which on it counts as being in memory. */
const WARM = 0.95;

class Printer {
  readonly out = new Output();
  missing = 0;
  readonly #table: FingerprintTable<unknown, Uint8Array>;
  readonly #keyType: KeyType;
  readonly #jsonKey: TextPrinter;
  readonly #json: boolean;
  readonly #isSet: boolean;
  readonly #value: TextPrinter;
  #cold: boolean | undefined;

  constructor(table: FingerprintTable<unknown, Uint8Array>, json: boolean) {
    this.#table = table;
    this.#keyType = table.header.keyType;
    this.#jsonKey = jsonKeyPrinter(this.#keyType);
    this.#json = json;
    this.#isSet = table.header.valueType === 'none';
    this.#value = json ? jsonPrinter(table.header.valueType) : textPrinter(table.header.valueType);
  }

  /**
   * Looks up keys, given as text.
   * @throws {HmapError} `HMAP_KEY_INVALID` if one of them is not a key of the table's type
   */
  async print(texts: Buffer[]): Promise<void> {
    const type = this.#keyType;
    const keys =
      type === 'bytes'
        ? texts
        : texts.map((text) => Buffer.from(scratch.bytes.subarray(0, encodeKeyText(type, text.toString()))));
    const areMany = keys.length >= MANY;
    if (areMany && this.#isCold()) await this.#table.prefetch(keys);
    // For a few, what answers many need not start.
    const views = areMany ? this.#table.getManyViews(keys) : keys.map((key) => this.#table.getView(key));
    for (const [i, view] of views.entries()) {
      this.#one(keys[i]!, view);
      if (this.out.full) await this.out.flush();
    }
  }

  close(): void {
    this.#table.close();
  }

  /** Whether much of the file was out of the page cache at the first question; to ask costs a byte for each page. */
  #isCold(): boolean {
    const { fileBytes } = this.#table.header;
    this.#cold ??= (this.#table.residentBytes() ?? fileBytes) < WARM * fileBytes;
    return this.#cold;
  }

  #one(key: Buffer, view: Uint8Array | undefined): void {
    const { out } = this;
    if (this.#json) {
      out.latin1('{"key":');
      this.#jsonKey(new ByteBuffer(key), 0, key.length, out);
      out.latin1(`,"found":${view !== undefined}`);
    }
    if (view === undefined) {
      this.missing++;
      if (this.#json) out.latin1('}\n');
      else warn(`not found: ${showKey(this.#keyType, key)}`);
      return;
    }
    if (this.#json) out.latin1(',"value":');
    if (this.#isSet) out.latin1('true');
    else this.#value(new ByteBuffer(view), 0, view.length, out);
    out.latin1(this.#json ? '}\n' : '\n');
  }
}
