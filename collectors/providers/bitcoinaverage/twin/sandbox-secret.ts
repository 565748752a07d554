/** The secret that goes with every public key of the sandbox: `<key>:<secret>` is the key text of the signed scheme. It opens nothing. */
export const sandboxSecret = 'sandbox-secret-not-a-secret'
