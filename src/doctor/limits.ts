/** How long TCP and TLS of one address may take, in milliseconds. */
export const connectTimeoutMs = 8000;

/** How long a request over an open connection may take, in milliseconds. */
export const requestTimeoutMs = 8000;
