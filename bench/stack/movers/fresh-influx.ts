import { fresh } from './fresh.ts'
import { runMover } from './mover.ts'

await runMover(task => fresh(task, 'influxdb'))
