// All rows of the table of platforms, in its order.

import { BUNDLERS } from './bundlers.js';
import { MANAGERS } from './managers.js';
import type { Row } from './rows.js';
import { SYSTEMS } from './systems.js';

export const ROWS: readonly Row[] = [...MANAGERS, ...BUNDLERS, ...SYSTEMS];
