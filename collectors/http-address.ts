import { BlockList, isIP } from 'node:net'

export interface ResolvedAddress {
  readonly address: string
  readonly family: number
}

/** Gives all addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>

/** Special-purpose address blocks (IANA registries of RFC 6890): nothing public answers there, cloud metadata services do. */
const blocks: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  ['::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001:db8::', 32],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
]
/** IPv6 blocks that carry an IPv4 address: it is judged by that one. */
const carriers: readonly (readonly [string, number, number])[] = [
  ['::ffff:0:0', 96, 12],
  ['64:ff9b::', 96, 12],
  ['2002::', 16, 2],
]

const blocked = new BlockList()
for (const [net, prefix] of blocks) blocked.addSubnet(net, prefix, net.includes(':') ? 'ipv6' : 'ipv4')

const carrierLists = carriers.map(([net, prefix, at]) => {
  const list = new BlockList()
  list.addSubnet(net, prefix, 'ipv6')
  return { list, at }
})

/** Whether a public provider can not be at this address: private, loopback, link-local, metadata, multicast, reserved, or no address. */
export function isForbiddenAddress(address: string): boolean {
  const plain = address.split('%', 1)[0] ?? ''
  const family = isIP(plain)
  if (family === 4) return blocked.check(plain, 'ipv4')
  if (family !== 6) return true
  const carrier = carrierLists.find(({ list }) => list.check(plain, 'ipv6'))
  if (carrier) return isForbiddenAddress(embeddedIpv4(plain, carrier.at))
  return blocked.check(plain, 'ipv6')
}

export const isLoopback = (address: string): boolean =>
  address === '::1' || (isIP(address) === 4 && address.startsWith('127.'))

function embeddedIpv4(address: string, at: number): string {
  const bytes = ipv6Bytes(address)
  return bytes.slice(at, at + 4).join('.')
}

function ipv6Bytes(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const hex = (high: string | undefined, low: string | undefined): string =>
    (Number(high) * 256 + Number(low)).toString(16)
  const text = dotted ? `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}` : address
  const [head = '', tail] = text.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array<string>(Math.max(0, zeros)).fill('0'), ...right]
  return groups.flatMap(group => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 255]
  })
}
