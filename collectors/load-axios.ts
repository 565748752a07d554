import type { AxiosStatic } from 'axios'

/** axios in its build without Node's adapters (ours is `http-transport.ts`), at the first call. */
export async function loadAxios(): Promise<AxiosStatic> {
  return (await import('axios/dist/browser/axios.cjs')).default
}
