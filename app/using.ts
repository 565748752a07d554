interface Closing {
  close(): Promise<void> | void
}

/** Opens, works, and closes whatever happens. */
export async function using<R extends Closing, T>(
  resource: R,
  work: (resource: R) => Promise<T>,
): Promise<T> {
  try {
    return await work(resource)
  } finally {
    await resource.close()
  }
}
