// The script of a thread that writes spans.

import { parentPort } from 'node:worker_threads';
import { loadChecksums } from '../../base/block-hasher.js';
import { serve } from '../../base/workers.js';
import { runSpan } from './span-task.js';

// Loaded while the other thread still reads.
loadChecksums();
if (parentPort !== null) serve(parentPort, runSpan);
