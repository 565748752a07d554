import { flagKinds } from '../../core/records.ts'
import { DAY, HOUR, MINUTE } from '../../core/time.ts'
import type { JudgeParameters } from './parameters.ts'

/**
 * Reasons for each figure: docs/explanation/source-sanity.md. Change one by what the simulated months of seeds 1 to 9 say; those of
 * `bench/detectors.ts` are kept for the report, and one that was looked at is used up.
 */
export const judgeDefaults: JudgeParameters = {
  detectors: flagKinds,
  cleanValues: 3,
  nearPercent: 3,
  peerMaxAgeMs: 15 * MINUTE,
  tail: { chance: 1e-9, timesLeast: 2.5, timesMost: 6 },
  frozen: {
    ...{
      awayPercent: 0.25,
      awayDeviations: 6,
      awayMs: 20 * MINUTE,
      timesAway: 4,
      timesRestAway: 1.5,
      minAnswers: 4,
    },
    ...{ restMs: 30 * MINUTE, timesRest: 1.5, minPeerChanges: 20, rangePercent: 0.05, rangeTicks: 3 },
    ...{ warmUpMs: 6 * HOUR, minChanges: 10, unknownMs: 6 * HOUR },
    ...{ aloneMs: DAY, aloneTimes: 12, aloneUnknownMs: 3 * DAY },
    deprecationMs: HOUR,
  },
  clock: {
    floorMs: 10 * MINUTE,
    behindSteps: 3,
    changesStanding: 4,
    warmUpMs: 6 * HOUR,
    warmUpSteps: 10,
    unknownMs: DAY,
  },
  unit: { peersPercent: 5, ownPercent: 12, ownMaxAgeMs: 26 * HOUR },
  currency: {
    crossPercent: 1,
    sameDigits: 3,
    minDigits: 4,
    sameAnswerMs: 2 * MINUTE,
    pegged: ['USD', 'USDT', 'USDC', 'DAI', 'FDUSD', 'TUSD', 'PYUSD'],
  },
  outlier: {
    minPeers: 2,
    mads: 6,
    steps: 8,
    agreement: 2 / 3,
    restedMs: 15 * MINUTE,
    confirmMs: 20 * MINUTE,
    restedTimes: 3,
    newcomerMs: 15 * MINUTE,
  },
  gaps: { missing: 5, shape: 3 },
  consensus: {
    minSources: 1,
    maxAgeMs: 15 * MINUTE,
    divergencePercent: 2,
    partedPercent: 5,
    divergenceMinutes: 5,
  },
  histories: [],
  spot: { sources: [], maxAgeMs: 5 * MINUTE, failedCalls: 2, disabled: {}, offers: {} },
  aheadMs: 5 * MINUTE,
  forgetMs: 2 * DAY,
}
