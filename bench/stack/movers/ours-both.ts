import { runMover } from './mover.ts'
import { ours } from './ours.ts'

/** Both stores in one process, as the full profile has it. */
await runMover(task => ours(task, { stores: ['cassandra', 'influxdb'] }))
