import { brokerContract } from '../broker.contract.ts'
import { openMemoryBroker } from './memory.ts'

brokerContract('memory', (clock, topics) => openMemoryBroker({ clock, topics }))
