/** Where collectors tell what happened besides their result; pino has this shape. Fields never hold a secret. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}
