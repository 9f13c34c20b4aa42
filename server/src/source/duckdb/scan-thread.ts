/** Reads stretches of JSON lines on a thread of its own. */
import { obey } from '../../base/beside.ts';
import { type ScannedLines, type Stretch, scanStretch } from './scan-lines.ts';

obey<Stretch, ScannedLines>({ carryOut: scanStretch, [Symbol.asyncDispose]: async () => {} });
