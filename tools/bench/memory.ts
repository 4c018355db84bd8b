// Memory, cold reads, start-up.

import type { Context } from './context.js';
import type { Figure } from './model.js';

export async function measureMemory(_context: Context): Promise<Figure[]> {
  return [];
}
