import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { classPath } from '../../../scripts/stack/fetch.ts'
import { portsOf } from '../../../scripts/stack/ports.ts'
import { needTool } from '../../../scripts/stack/toolchain.ts'
import { throwAwayStack } from '../../../test/stack/servers.ts'
import { freePortOffset } from '../../../test/stack/throw-away.ts'

const run = promisify(execFile)
const storePassword = 'for-this-test-run'

/** A CA, and a certificate of it for `localhost` alone. Made for this run, and in its folder only. */
async function makeCertificates(folder: string): Promise<{ readonly ca: string; readonly keyStore: string }> {
  const keytool = (...args: string[]) =>
    run('keytool', ['-J-XX:TieredStopAtLevel=1', ...args, '-storepass', storePassword], { cwd: folder })
  const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '2', '-storetype', 'PKCS12']
  await keytool(
    '-genkeypair',
    '-alias',
    'ca',
    '-dname',
    'CN=test CA',
    '-ext',
    'bc:c=ca:true',
    '-keystore',
    'ca.p12',
    ...key,
  )
  await keytool('-exportcert', '-alias', 'ca', '-rfc', '-file', 'ca.pem', '-keystore', 'ca.p12')
  await keytool(
    '-genkeypair',
    '-alias',
    'server',
    '-dname',
    'CN=localhost',
    '-keystore',
    'server.p12',
    ...key,
  )
  await keytool('-certreq', '-alias', 'server', '-file', 'server.csr', '-keystore', 'server.p12')
  const san = ['-ext', 'san=dns:localhost', '-validity', '2', '-rfc']
  await keytool(
    '-gencert',
    '-alias',
    'ca',
    '-infile',
    'server.csr',
    '-outfile',
    'server.pem',
    '-keystore',
    'ca.p12',
    ...san,
  )
  await keytool('-importcert', '-noprompt', '-alias', 'ca', '-file', 'ca.pem', '-keystore', 'server.p12')
  await keytool('-importcert', '-alias', 'server', '-file', 'server.pem', '-keystore', 'server.p12')
  return { ca: readFileSync(join(folder, 'ca.pem'), 'utf8'), keyStore: join(folder, 'server.p12') }
}

/** A broker of one's own that asks for TLS and a login on one port; the user `admin` may do all, `guest` nothing. */
export async function securedKafka(passwords: { readonly admin: string; readonly guest: string }) {
  const folder = mkdtempSync(join(tmpdir(), 'cryptos-tls-'))
  const { ca, keyStore } = await makeCertificates(folder)
  const portOffset = await freePortOffset()
  const ports = portsOf(portOffset, 1).kafka[0]
  if (!ports) throw new Error('no ports')
  const { client, controller, extra } = ports
  const module = 'org.apache.kafka.common.security'
  const kafka = {
    listeners: `PLAINTEXT://127.0.0.1:${client},SASL_SSL://127.0.0.1:${extra},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${client},SASL_SSL://localhost:${extra}`,
    'sasl.enabled.mechanisms': 'SCRAM-SHA-256,SCRAM-SHA-512,PLAIN',
    'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config': `${module}.scram.ScramLoginModule required;`,
    'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': `${module}.scram.ScramLoginModule required;`,
    'listener.name.sasl_ssl.plain.sasl.jaas.config': `${module}.plain.PlainLoginModule required user_admin="${passwords.admin}" user_guest="${passwords.guest}";`,
    'ssl.keystore.location': keyStore,
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.password': storePassword,
    'ssl.key.password': storePassword,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS;User:admin',
  }
  const stack = await throwAwayStack({ servers: ['kafka'], portOffset, settings: { kafka } })
  const stop = async (): Promise<void> => {
    await stack.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  const jars = await classPath('kafka', () => undefined)
  const quick = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx128m']
  const setPassword = async (sha: string): Promise<void> => {
    const value = `SCRAM-SHA-${sha}=[iterations=4096,password=${passwords.admin}]`
    const change = ['--alter', '--add-config', value, '--entity-type', 'users', '--entity-name', 'admin']
    const at = ['kafka.admin.ConfigCommand', '--bootstrap-server', `127.0.0.1:${client}`]
    await run(needTool('java', 'Kafka'), [...quick, '-cp', jars, ...at, ...change], { cwd: folder })
  }
  try {
    await Promise.all([setPassword('256'), setPassword('512')])
  } catch (error) {
    await stop()
    throw error
  }
  return { ca, named: `localhost:${extra}`, byAddress: `127.0.0.1:${extra}`, stop }
}
