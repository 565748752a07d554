// The same as in every run of the tests on real servers, with many more kills.
process.env['CRYPTOS_KILLS'] ??= '500'
await import('./faults.stack.ts')
