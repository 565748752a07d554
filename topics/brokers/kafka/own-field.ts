/** Sets a field of any name: a plain assignment where it is safe, which is far faster, since it is done for every record that is read. */
export function setOwn<T>(fields: Record<string, T>, name: string, value: T): void {
  if (name !== '__proto__') fields[name] = value
  else Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true })
}
