// Reads a value of `enum` from the distinct values of a remote file (native-notes/format.md, section 7). Knows the section; does
// not know records.

import { ByteBuffer } from '../base/bytes.js';
import { decodeText } from '../base/text.js';
import { damaged } from './records.js';
import type { RemoteFile } from './remote-file.js';
import type { Stop } from './shared-work.js';

/**
 * @param value the bytes of the index
 * @param at where they lie, for messages
 * @throws {HmapError} `HMAP_DAMAGED`
 */
export async function distinctValue(file: RemoteFile, value: Uint8Array, at: number, stop: Stop): Promise<string> {
  const { offset, count, bytes } = file.header.dictionary!;
  let index = 0;
  for (let i = value.length - 1; i >= 0; i--) index = index * 256 + value[i]!;
  if (index >= count) throw damaged(file, `there is no distinct value ${index}`, at);
  const place = offset + 4 * index;
  const [offsets] = await file.read([{ from: place, end: place + 8 }], stop);
  const view = new DataView(offsets!.buffer, offsets!.byteOffset, 8);
  const heap = offset + 4 * (count + 1);
  const [from, end] = [heap + view.getUint32(0, true), heap + view.getUint32(4, true)];
  if (from > end || end > offset + bytes)
    throw damaged(file, `the offsets of distinct value ${index} do not fit`, place);
  const [text] = end > from ? await file.read([{ from, end }], stop) : [new Uint8Array(0)];
  return decodeText(new ByteBuffer(text!), 0, text!.length);
}
