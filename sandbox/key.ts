/** The key that the sandbox accepts unless told others. It is printed in the documentation and opens nothing. */
export const sandboxKey = 'sandbox-key-not-a-secret'
