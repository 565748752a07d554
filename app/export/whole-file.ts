import { constants, createWriteStream, type Stats } from 'node:fs'
import { access, chmod, chown, lstat, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { pipeline } from 'node:stream/promises'

/**
 * Writes the lines to a file of which nothing is seen before all of it is on the disk: into a temporary file beside it, renamed at the
 * end. If that fails, what stood there before is untouched. A device, a pipe or a dangling link is written to as it is.
 * @throws what the file system throws; the temporary file is gone then
 */
export async function writeWhole(lines: AsyncIterable<string>, file: string): Promise<void> {
  const before = await found(stat(file))
  const isPlain = before ? before.isFile() : (await found(lstat(file))) === undefined
  if (!isPlain) return pipeline(lines, createWriteStream(file, { mode: 0o600 }))
  // Renaming asks for no right to the file itself.
  if (before) await access(file, constants.W_OK)
  const target = before ? await realpath(file) : file
  const temporary = join(dirname(target), `.cryptos-export-${randomUUID()}.tmp`)
  try {
    await pipeline(lines, createWriteStream(temporary, { flags: 'wx', mode: 0o600, flush: true }))
    if (before) await keepOwner(temporary, before)
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Who could read the file before can read it afterwards. */
async function keepOwner(file: string, { uid, gid, mode }: Stats): Promise<void> {
  if (process.getuid?.() === 0) await chown(file, uid, gid)
  await chmod(file, mode & 0o777)
}

async function found(stats: Promise<Stats>): Promise<Stats | undefined> {
  try {
    return await stats
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
