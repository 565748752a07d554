import { parentPort, workerData } from 'node:worker_threads'
import { score, type Trial } from '../processors/judge/score.contract.ts'

/** One simulated month in a thread of its own; see `detectors.ts`. */
if (parentPort) parentPort.postMessage(score(workerData as Trial))
