// What finds and decodes the values of one file. Knows which lookup its header asks for; does not know keys.

import { type ValueDecoder, valueDecoder } from '../codec/decode-value.js';
import type { HashHeader } from '../format/header.js';
import { FingerprintLookup } from './fingerprint-lookup.js';
import { Lookup } from './lookup.js';
import type { ValueView } from './many.js';
import type { Snapshot } from './snapshot.js';

/** A table's file, or one of its shards. */
export interface Part<V> {
  readonly snapshot: Snapshot;
  readonly header: HashHeader;
  readonly lookup: Lookup;
  readonly decode: ValueDecoder<V>;
  readonly view: ValueView;
}

export function partOf<V>(snapshot: Snapshot): Part<V> {
  const { segments, dictionary, long } = snapshot;
  const header = snapshot.header as HashHeader;
  return {
    snapshot,
    header,
    lookup: header.fingerprint === null ? new Lookup(header, segments) : new FingerprintLookup(header, segments, long),
    // Each dictionary has its own decoders.
    decode: valueDecoder(header.valueType, dictionary?.decoder) as ValueDecoder<V>,
    view: dictionary === undefined ? bytesOf : ({ heap }, at) => dictionary.bytesAt(heap, at),
  };
}

const bytesOf: ValueView = ({ lent }, at, length) => lent.at(at, length);
