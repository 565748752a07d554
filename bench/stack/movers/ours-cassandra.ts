import { runMover } from './mover.ts'
import { ours } from './ours.ts'

await runMover(task => ours(task, { stores: ['cassandra'] }))
