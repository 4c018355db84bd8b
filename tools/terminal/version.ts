// The version of the package. Knows where its manifest lies, seen from the program that is bundled.

import { readFileSync } from 'node:fs';

export function version(): string {
  const manifest = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
