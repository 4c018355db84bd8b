// What every measurement is given: where to put things, how often to repeat, the peers, the data. Knows no measurement.

import type { Dataset, Files, Values } from './model.js';
import type { PeerPackages } from './peers.js';

export interface Context {
  /** The long run: 10,000,000 entries and more. */
  readonly full: boolean;
  /** How often each measurement is repeated. */
  readonly rounds: number;
  /** A folder for data that is kept between runs. */
  readonly cache: string;
  /** Of all that is random. */
  readonly seed: number;
  /** The packages of the peers, and which of them are absent. */
  readonly peers: PeerPackages;
  /** Makes the files of a data set unless they are there. 100M has its source only, and no tables. */
  files(dataset: Dataset, values: Values): Promise<Files>;
  /** A line about the progress, for people. */
  log(text: string): void;
}
