// The slot of a key in a Redis cluster (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/): CRC16 of
// the key, or of what stands between its first braces. Knows bytes.

const SLOTS = 16_384;
const [OPEN, CLOSE] = [0x7b, 0x7d];

/** CRC16 of each byte, by the polynomial 0x1021 (XMODEM). */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});

export function keySlot(key: Uint8Array): number {
  const open = key.indexOf(OPEN);
  const close = open < 0 ? -1 : key.indexOf(CLOSE, open + 1);
  const hashed = close > open + 1 ? key.subarray(open + 1, close) : key;
  let crc = 0;
  for (const byte of hashed) crc = (TABLE[(crc >>> 8) ^ byte]! ^ (crc << 8)) & 0xffff;
  return crc % SLOTS;
}
