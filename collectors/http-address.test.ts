import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isForbiddenAddress } from './http-address.ts'

describe('addresses', () => {
  it.each([
    '8.8.8.8',
    '93.184.216.34',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700::6810:84e5',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
  ])('lets %s pass', address => expect(isForbiddenAddress(address)).toBe(false))

  it.each([
    '',
    'localhost',
    '1.2.3',
    '172.31.255.255',
    'fe80::1%eth0',
    'ff02::1',
    '::',
    '255.255.255.255',
    '240.0.0.1',
  ])('refuses %s', address => expect(isForbiddenAddress(address)).toBe(true))

  it('judges an IPv4 address inside an IPv6 one like itself', () => {
    fc.assert(
      fc.property(fc.ipV4(), ip => {
        const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map(Number)
        const hex = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
        for (const carrier of [`::ffff:${ip}`, `::ffff:${hex}`, `64:ff9b::${hex}`, `2002:${hex}::`])
          expect(isForbiddenAddress(carrier), carrier).toBe(isForbiddenAddress(ip))
      }),
    )
  })
})
