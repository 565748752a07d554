/** How a server is spoken to; PEM texts, not paths. Absent = that of the system, or none. */
export interface TlsOptions {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** Who one is to a server. Never told, logged or put into an error. */
export interface Login {
  readonly username: string
  readonly password: string
}
