import { inspect } from "node:util";

/**
 * How a failure may be retried.
 *
 * - `never`: the same attempt will fail again until somebody changes something.
 * - `backoff`: try again later, after the caller's own exponential delay.
 * - `after`: try again once {@link LandfallError.retryAfterMs} has passed; the peer named the delay.
 */
export type RetryClass = "never" | "backoff" | "after";

interface ErrorDefinition {
  /** What happened, in one sentence; `docs/errors.md` shows it. */
  readonly summary: string;
  readonly retry: RetryClass;
  /** What the reader can do about it. */
  readonly remedy: string;
}

/**
 * Every error code that landfall can raise. Codes are never renumbered, reused or given a new meaning.
 * `docs/errors.md` is generated from this table and a test holds the two equal.
 */
export const errorTable = {
  // Configuration
  "config.not-found": {
    summary: "No configuration file was found.",
    retry: "never",
    remedy: "Name one with -c FILE, or write one with `landfall init`.",
  },
  "config.unreadable": {
    summary: "The configuration file is there but could not be read.",
    retry: "never",
    remedy: "Let the agent's user read the file, or name another with -c FILE.",
  },
  "config.invalid": {
    summary: "The configuration is not valid; every fault is listed with its path.",
    retry: "never",
    remedy: "Correct the listed settings, then run `landfall run --check-config`.",
  },
  "config.secret-unreadable": {
    summary: "A secret, key or certificate that the configuration points to could not be read.",
    retry: "never",
    remedy: "Check the path or the environment variable, and that the agent's user may read it.",
  },
  // Keys and credentials
  "key.world-readable": {
    summary: "A file that holds a private key can be read by every user of this machine.",
    retry: "never",
    remedy: "Run the `chmod 600` command that the message gives.",
  },
  "key.unusable": {
    summary: "A private key could not be parsed, or is of a kind that is not supported.",
    retry: "never",
    remedy: "Use an RSA key of 2048 bits or more, or an EC P-256 key, in PEM or PKCS#12 form.",
  },
  "key.wrong-password": {
    summary: "The password of an encrypted key or PKCS#12 file is wrong.",
    retry: "never",
    remedy: "Correct the password setting.",
  },
  "key.unsupported-uri": {
    summary: "A key URI names a place that this version cannot open.",
    retry: "never",
    remedy: "Use a file path, a file:// URI, or a URI that docs/hardware-keys.md lists.",
  },
  "key.not-exportable": {
    summary: "A private key cannot leave the place where it lives, and a library wants to hold it itself.",
    retry: "never",
    remedy: "Use a transport of landfall's own, which has TLS sign with the key where it is.",
  },
  "key.invalid-uri": {
    summary: "The URI of a key or certificate in hardware is not valid.",
    retry: "never",
    remedy: "Write it as the message says; characters that mean something in a URI are written as %XX.",
  },
  "key.wrong-pin": {
    summary: "The PIN of a token is wrong, or none is set.",
    retry: "never",
    remedy:
      "Correct the PIN before the next start, because most tokens lock after a few wrong ones: identity_pk_password, or " +
      "pin-source=file:… or pin-source=env:… in the URI.",
  },
  "key.pin-locked": {
    summary: "A token does not take its PIN any more.",
    retry: "never",
    remedy: "Set a new PIN with the token's security officer PIN, for example with `pkcs11-tool --init-pin`.",
  },
  "key.token-missing": {
    summary: "The token that holds a key or certificate is not there.",
    retry: "backoff",
    remedy:
      "Plug it in. If it is, compare the URI with what `pkcs11-tool --module MODULE --list-token-slots` shows, " +
      "and check that the agent's user may use it.",
  },
  "key.not-in-token": {
    summary: "The key or certificate was not found in the token.",
    retry: "never",
    remedy: "Compare the URI with what `pkcs11-tool --module MODULE --list-slots` and `--list-objects` show.",
  },
  "key.login-failed": {
    summary: "A token failed before it was clear whether it takes its PIN.",
    retry: "never",
    remedy:
      "See that the token works and the PIN is right before the next start. It is not tried again by itself, because " +
      "most tokens lock after a few wrong PINs.",
  },
  "key.not-in-tpm": {
    summary: "The TPM does not have the key, or cannot take it in from its file.",
    retry: "never",
    remedy:
      "Compare the handle with what `tpm2_getcap handles-persistent` shows; a key in a file is of use in the TPM alone " +
      "that made it.",
  },
  "key.module-unusable": {
    summary: "The PKCS#11 module, which talks to the token, was not found or cannot be used.",
    retry: "never",
    remedy: "Install the token's PKCS#11 module and name it with module-path=/… in the URI, or in PKCS11_MODULE_PATH.",
  },
  "key.engine-missing": {
    summary: "The part of OpenSSL that lets TLS use a key in hardware is not installed, or cannot be loaded.",
    retry: "never",
    remedy: "For PKCS#11 install the Debian package libengine-pkcs11-openssl; for a TPM run `landfall keys engine`.",
  },
  "key.program-missing": {
    summary: "A program that is needed to handle keys is not installed.",
    retry: "never",
    remedy: "Install the package that the message names.",
  },
  "key.already-there": {
    summary: "A new key was to be made where something is already.",
    retry: "never",
    remedy: "Choose another path, label or handle, or remove what is there once nobody needs it.",
  },
  "key.not-created": {
    summary: "A file for a new key could not be written.",
    retry: "never",
    remedy: "Check that the folder is there and that this user may write to it.",
  },
  "key.hardware-failed": {
    summary: "The hardware that holds a key reported a failure, or did not answer.",
    retry: "backoff",
    remedy: "Check that it is plugged in and that the agent's user may use it; the message carries its own words.",
  },
  // TPM
  "tpm.unavailable": {
    summary: "The TPM cannot be opened, or the line to it broke.",
    retry: "backoff",
    remedy: "Check the tpm setting, that the device is there, and that the agent's user is in its group (tss).",
  },
  "tpm.timeout": {
    summary: "The TPM did not answer in time.",
    retry: "backoff",
    remedy: "Another program may be holding it; use /dev/tpmrm0, which can be shared.",
  },
  "tpm.busy": {
    summary: "The TPM asked to try again later, or another program had it, for longer than was waited.",
    retry: "backoff",
    remedy: "Nothing to do; the agent tries again. /dev/tpmrm0 can be shared between programs.",
  },
  "tpm.out-of-memory": {
    summary: "The TPM has no room for another key or session.",
    retry: "backoff",
    remedy:
      "Use /dev/tpmrm0; on a TPM without it flush what other programs left behind (tpm2_flushcontext), " +
      "and evict persistent keys that nobody uses (tpm2_evictcontrol).",
  },
  "tpm.locked-out": {
    summary: "The TPM is in lockout after too many wrong passwords.",
    retry: "backoff",
    remedy: "Wait until the TPM lets go of it, or reset it with tpm2_dictionarylockout.",
  },
  "tpm.wrong-password": {
    summary: "The TPM did not accept the password of a hierarchy or key.",
    retry: "never",
    remedy:
      "Set owner_password and endorsement_password, or identity_pk_password for the key of a certificate, as they are in " +
      "the TPM.",
  },
  "tpm.refused": {
    summary: "The TPM refused a command.",
    retry: "backoff",
    remedy: "The message has the command and the TPM's response code.",
  },
  "tpm.malformed-response": {
    summary: "The TPM, or what stands in its place, answered something that is not a response.",
    retry: "backoff",
    remedy: "Check that the tpm setting leads to a TPM 2.0, for swtpm to its data channel and not its control channel.",
  },
  "tpm.unsuitable-key": {
    summary: "The TPM has a key of another kind where attestation or TLS needs one.",
    retry: "never",
    remedy:
      "The message says what was found. Move that key to another handle, so that attestation can create its own; for TLS, " +
      "make a key with `landfall keys create`.",
  },
  "tpm.root-key-missing": {
    summary: "The TPM does not have the keys yet that DPS knows it by, and nothing may be changed now.",
    retry: "never",
    remedy: "Run `landfall keys tpm`, or let the agent register: both create them.",
  },
  "tpm.activation-failed": {
    summary: "The key that the service sent for this TPM could not be taken in.",
    retry: "backoff",
    remedy:
      "Nothing to do if it passes; otherwise check that the enrollment has this TPM's endorsement key " +
      "(`landfall keys tpm`).",
  },
  "tpm.identity-missing": {
    summary: "The TPM does not have the key that signs for this device.",
    retry: "backoff",
    remedy:
      "Nothing to do if DPS takes this TPM: the agent registers again, which brings a new one. If the TPM is another than " +
      "before, put its endorsement key into the enrollment (`landfall keys tpm`).",
  },
  "tpm.closed": {
    summary: "The TPM was let go of before the operation finished.",
    retry: "never",
    remedy: "Nothing to do; this is what closing means for work that was still pending.",
  },
  "key.of-other-device": {
    summary: "The hardware that holds the key belongs to another device.",
    retry: "never",
    remedy: "Connect the hardware of this device, or correct registration_id.",
  },
  "certificate.unusable": {
    summary: "A certificate could not be parsed.",
    retry: "never",
    remedy: "Give a PEM chain, leaf first, or a PKCS#12 file that holds a certificate.",
  },
  "certificate.name-mismatch": {
    summary: "The certificate's common name is not the registration id.",
    retry: "never",
    remedy: "DPS requires both to be equal: change registration_id, or issue a certificate with that common name.",
  },
  "certificate.key-mismatch": {
    summary: "The private key does not belong to the certificate.",
    retry: "never",
    remedy: "Point identity_cert and identity_pk at a matching pair.",
  },
  "certificate.not-valid-now": {
    summary: "The certificate has expired.",
    retry: "never",
    remedy: "Renew the certificate, or correct this machine's clock.",
  },
  "certificate.not-valid-yet": {
    summary: "By this machine's clock the certificate is not valid yet; it is used as soon as it is.",
    retry: "backoff",
    remedy:
      "Have this machine's clock set, best by a time server (NTP). If it is right, look at the certificate's dates.",
  },
  "attestation.registration-id": {
    summary: "The registration id does not follow the rules of DPS.",
    retry: "never",
    remedy: "Use up to 128 characters, letters, digits and - . _ : only, with a letter or digit at both ends.",
  },
  "attestation.symmetric-key": {
    summary: "The symmetric key is not usable.",
    retry: "never",
    remedy: "Give the base64 text of a key of 16 to 64 bytes, as DPS shows it.",
  },
  "attestation.unsupported-pair": {
    summary: "This attestation cannot be carried by this transport.",
    retry: "never",
    remedy: "Choose a transport that the message lists.",
  },
  "attestation.unexpected-challenge": {
    summary: "The service sent a challenge that this attestation cannot answer.",
    retry: "never",
    remedy: "The enrollment is of another attestation type than this device; change one of the two.",
  },
  // Endpoint and dialling
  "endpoint.connect-failed": {
    summary: "No network connection could be made.",
    retry: "backoff",
    remedy: 'Check routes, firewall and port; 8883 is often closed where 443 is open (transport = "mqtt-ws").',
  },
  "endpoint.connect-timeout": {
    summary: "The peer did not answer a connection attempt in time.",
    retry: "backoff",
    remedy: "A firewall that drops packets looks like this; check the port and the route.",
  },
  "endpoint.name-not-found": {
    summary: "The host name could not be resolved.",
    retry: "backoff",
    remedy: "Check the name, and the name servers of this machine.",
  },
  "endpoint.tls-failed": {
    summary: "The TLS handshake failed.",
    retry: "backoff",
    remedy: "The cause in the message tells more; a middlebox that cuts TLS looks like this.",
  },
  "endpoint.tls-untrusted": {
    summary: "The peer's certificate is not trusted, or is not for the name that was asked for.",
    retry: "backoff",
    remedy:
      "Behind TLS inspection, or with an emulator, add its CA to [network] trust_bundle. Verification is never turned off.",
  },
  "endpoint.proxy-failed": {
    summary: "The proxy refused or could not make the connection.",
    retry: "backoff",
    remedy: "Check the proxy's address and credentials, or exempt the host with no_proxy.",
  },
  "endpoint.no-safe-endpoint": {
    summary: "The settings and the network together leave no endpoint that may be dialled.",
    retry: "backoff",
    remedy: "The message says what stands in the way; `landfall endpoint` shows every piece of evidence.",
  },
  "endpoint.settings-conflict": {
    summary: "The settings leave no endpoint that may be dialled, whatever the network says.",
    retry: "never",
    remedy: "Change the setting that the message names.",
  },
  "endpoint.cross-cloud": {
    summary: "The assigned hub does not belong to the cloud of the DPS instance.",
    retry: "never",
    remedy: "Link a hub of the same cloud to the DPS instance; private endpoints do not work across clouds.",
  },
  "endpoint.unvetted-address": {
    summary:
      "A connection reached, or would have reached, an address that was not vetted for its name; TLS was not begun.",
    retry: "backoff",
    remedy: "Something between this device and its network changes where connections lead; run `landfall endpoint`.",
  },
  // Transports
  "transport.refused": {
    summary: "The service refused the connection.",
    retry: "backoff",
    remedy: "The message carries the service's code.",
  },
  "transport.unauthorized": {
    summary: "The service did not accept the credential at connect.",
    retry: "never",
    remedy: "Check the key or certificate, the enrollment or device (it may be disabled), and this machine's clock.",
  },
  "transport.identifier-rejected": {
    summary: "The service does not know this identity.",
    retry: "never",
    remedy: "The device may have been removed or moved; provisioning again finds its new hub.",
  },
  "transport.unavailable": {
    summary: "The service said that it is unavailable.",
    retry: "backoff",
    remedy: "Nothing to do; the agent tries again.",
  },
  "transport.closed": {
    summary: "The connection was closed by the peer or the network.",
    retry: "backoff",
    remedy: "Nothing to do; the agent connects again. IoT Hub also closes a connection on any protocol misuse.",
  },
  "transport.timeout": {
    summary: "The service did not answer in time.",
    retry: "backoff",
    remedy: "Nothing to do; the agent tries again.",
  },
  "transport.protocol": {
    summary: "The peer sent something that the protocol does not allow.",
    retry: "backoff",
    remedy: "Something between the device and the service may be altering traffic.",
  },
  "transport.unsupported": {
    summary: "The transport cannot do what is asked of it.",
    retry: "never",
    remedy: "The message names what it cannot do; a transport of landfall's own can.",
  },
  "transport.message-too-large": {
    summary: "The message is larger than the service allows; it was not sent.",
    retry: "never",
    remedy: "Split the message: telemetry may have 256 KB, a method answer 128 KB.",
  },
  // Provisioning
  "provisioning.bad-request": {
    summary: "DPS did not accept the registration request (4xx).",
    retry: "never",
    remedy:
      "The service's error code and message tell which part; check id_scope, registration_id and payload, and of a TPM " +
      "whether its endorsement key is that of the enrollment (`landfall keys tpm`).",
  },
  "provisioning.unauthorized": {
    summary: "DPS refused the device's credential (401).",
    retry: "never",
    remedy:
      "Check the key, the certificate or the TPM's endorsement key (`landfall keys tpm`) against the enrollment, that " +
      "every intermediate is sent, and this machine's clock. " +
      "Likely also when public network access of the DPS is disabled.",
  },
  "provisioning.not-found": {
    summary: "DPS knows no enrollment for this device (404).",
    retry: "never",
    remedy: "Check id_scope and registration_id; create an individual enrollment or an enrollment group.",
  },
  "provisioning.conflict": {
    summary: "Another registration of the same identity is in progress (409 or 412).",
    retry: "backoff",
    remedy: "Make sure that no second device uses this registration id.",
  },
  "provisioning.throttled": {
    summary: "DPS asked to slow down (429).",
    retry: "after",
    remedy: "Nothing to do; the agent waits as long as the service asked.",
  },
  "provisioning.service-error": {
    summary: "DPS had an internal error (5xx).",
    retry: "backoff",
    remedy: "Nothing to do; the agent tries again.",
  },
  "provisioning.malformed-response": {
    summary: "DPS answered something that is not a registration status.",
    retry: "backoff",
    remedy: "Something between the device and the service may be altering traffic.",
  },
  "provisioning.failed": {
    summary: "DPS accepted the request but could not assign a hub.",
    retry: "never",
    remedy: "The service's error code tells why; usual causes are no linked hub, or a custom allocation that failed.",
  },
  "provisioning.disabled": {
    summary: "The enrollment of this device is disabled.",
    retry: "never",
    remedy: "Enable the enrollment in DPS.",
  },
  "provisioning.timeout": {
    summary: "Registration did not finish in the time allowed.",
    retry: "backoff",
    remedy: "Nothing to do; the agent tries again.",
  },
  // Hub session
  "hub.credential-expired": {
    summary: "The credential expired while connected.",
    retry: "backoff",
    remedy: "Check this machine's clock; the agent renews ahead of expiry by its own clock.",
  },
  "hub.displaced": {
    summary: "Another client with the same device id keeps taking over the connection.",
    retry: "backoff",
    remedy:
      "Find the second device or process that uses this device id and stop it, or give it an identity of its own.",
  },
  "hub.twin-rejected": {
    summary: "The hub refused a twin operation.",
    retry: "never",
    remedy: "The hub's code and message tell which limit: 32 KB, depth 10, keys without . $ or space.",
  },
  "hub.not-connected": {
    summary: "The operation needs a connection to the hub and there is none.",
    retry: "backoff",
    remedy: "Wait until the session is connected, or pass a signal that bounds the wait.",
  },
  "hub.closed": {
    summary: "The session was closed before the operation finished.",
    retry: "never",
    remedy: "Nothing to do; this is what closing means for work that was still pending.",
  },
  "hub.method-exists": {
    summary: "A direct method of that name already has a handler.",
    retry: "never",
    remedy: "Dispose of the first handler before registering another.",
  },
  "hub.method-timeout": {
    summary: "The handler of a direct method did not answer before its deadline.",
    retry: "never",
    remedy: "Give the method a longer timeout, on the device and at the caller, or let the handler finish sooner.",
  },
  "hub.already-consumed": {
    summary: "Somebody consumes this sequence already; it has one consumer at a time.",
    retry: "never",
    remedy: "End the first loop before starting another, or hand its items on.",
  },
  "hub.message-not-completed": {
    summary: "A cloud-to-device message was not completed by its consumer.",
    retry: "backoff",
    remedy: "Nothing to do; the hub delivers it again.",
  },
  // State
  "state.unwritable": {
    summary: "The state directory cannot be used.",
    retry: "never",
    remedy: "Create it for the agent's user, or name another with [state] directory.",
  },
  "state.corrupt": {
    summary: "A state file does not hold what it should; it is set aside.",
    retry: "never",
    remedy: "Nothing to do; the agent provisions again. The file is kept beside with the ending .corrupt.",
  },
  // The serial line and the MCU on it
  "serial.address": {
    summary: "The address of a port is not valid.",
    retry: "never",
    remedy: "Use the path of a serial device, tcp://HOST:PORT, or unix:PATH.",
  },
  "serial.driver-missing": {
    summary: "The package that opens serial devices is not installed, or has no build for this machine.",
    retry: "never",
    remedy: "Install it beside landfall with `npm install serialport`; tcp:// and unix: ports do without.",
  },
  "serial.port-not-found": {
    summary: "The port is not there.",
    retry: "backoff",
    remedy: "Check the cable and the name; names below /dev/serial/by-id stay the same when a device is plugged again.",
  },
  "serial.port-denied": {
    summary: "The port may not be opened by this user.",
    retry: "backoff",
    remedy:
      "Add the user to the group that owns the port, on Debian `sudo usermod -aG dialout USER`; it counts from the next login " +
      "or start of the service on.",
  },
  "serial.port-busy": {
    summary: "Another program has the port.",
    retry: "backoff",
    remedy: "Stop the other program; a running agent holds the port of its MCU.",
  },
  "serial.port-failed": {
    summary: "The port could not be opened or used.",
    retry: "backoff",
    remedy: "The cause in the message tells more.",
  },
  "serial.unplugged": {
    summary: "The port went away.",
    retry: "backoff",
    remedy: "Nothing to do once it is back: the agent waits for it and goes on.",
  },
  "serial.closed": {
    summary: "The link was closed before the MCU had answered.",
    retry: "never",
    remedy: "Nothing to do; this is what closing means for requests that were still under way.",
  },
  "smp.timeout": {
    summary: "The MCU did not answer in time.",
    retry: "backoff",
    remedy: "Check that its firmware speaks SMP on this port, and the baud rate on both sides.",
  },
  "smp.malformed": {
    summary: "The MCU answered something that is no answer to what was asked.",
    retry: "backoff",
    remedy: "The message tells what was expected; docs/mcu.cddl has the answers that landfall understands.",
  },
  "smp.too-large": {
    summary: "The request does not fit the MCU's buffer; it was not sent.",
    retry: "never",
    remedy: "Send less at once, or give the firmware a larger buffer.",
  },
  "smp.refused": {
    summary: "The MCU refused the request.",
    retry: "never",
    remedy: "The message names the reason that the MCU gave.",
  },
  "smp.busy": {
    summary: "The MCU is busy, or has reached a limit.",
    retry: "backoff",
    remedy: "Nothing to do; the request can be made again later.",
  },
  "smp.unsupported": {
    summary: "The firmware of the MCU does not know this request.",
    retry: "never",
    remedy: "Enable it in the firmware; docs/mcu.cddl lists what landfall asks for.",
  },
  "firmware.unusable": {
    summary: "The file is not an image that MCUboot would start.",
    retry: "never",
    remedy: "Give a signed image as `imgtool sign` makes it, in binary form, not hex or ELF.",
  },
  "firmware.wrong-board": {
    summary: "The image is for another board than the MCU's.",
    retry: "never",
    remedy: "Give the image that was built for the board that the message names.",
  },
  "firmware.downgrade": {
    summary: "The image is older than the running firmware.",
    retry: "never",
    remedy: "Give a newer image, or allow older ones on purpose (--allow-downgrade).",
  },
  "firmware.no-room": {
    summary: "The MCU cannot take the image: it is too large for the slot, or the slot is not free.",
    retry: "never",
    remedy: "The message tells which; a slot becomes free when the image in it is confirmed or reverted.",
  },
  "firmware.damaged": {
    summary: "The image did not arrive at the MCU as it was sent.",
    retry: "backoff",
    remedy:
      "Flash it again. Should that end likewise, the MCU's flash may be worn, or the line spoils more than checks notice.",
  },
  "firmware.reverted": {
    summary: "The new firmware did not come up healthy; the MCU runs the former one again.",
    retry: "never",
    remedy: "The message tells what was wrong with the new one. It is not tried again by itself.",
  },
  "firmware.lost": {
    summary: "The MCU did not come back after the update, neither with the new firmware nor with the former one.",
    retry: "backoff",
    remedy:
      "Look at the MCU: `landfall mcu monitor` shows what it prints. A power cycle often brings the former one back.",
  },
  "simulator.rejected": {
    summary: "The simulated MCU was set up in a way it cannot be.",
    retry: "never",
    remedy: "The message names the setting and what it may be.",
  },
  // Command line
  "cli.usage": {
    summary: "The command line is not valid.",
    retry: "never",
    remedy: "See `landfall --help`, and `landfall help COMMAND` for one command.",
  },
  "cli.output-failed": {
    summary: "The result of a command could not be written to standard output.",
    retry: "never",
    remedy: "The cause tells more; a full disk is the usual one.",
  },
  "cli.demo-incomplete": {
    summary: "Something that the demo shows did not happen.",
    retry: "never",
    remedy: "The message names the steps; on a healthy machine all of them happen, so please report it.",
  },
  // Emulator
  "emulator.enrollment-file": {
    summary: "The enrollment file is not valid.",
    retry: "never",
    remedy: "Correct the listed entries.",
  },
  "emulator.fault-file": {
    summary: "The file of faults to script is not valid.",
    retry: "never",
    remedy: "Correct the listed entries.",
  },
  "emulator.listen-failed": {
    summary: "The emulator could not listen on a port.",
    retry: "never",
    remedy: "Another process has the port, or the system keeps it for root; choose another, or 0 for any free one.",
  },
  "emulator.authority-unusable": {
    summary: "The emulator's certificate authority could not be read or written.",
    retry: "never",
    remedy: "Check the directory's rights; delete ca.pem and ca.key.pem in it to let the emulator make new ones.",
  },
  "emulator.broker-failed": {
    summary: "The outside broker did not let the emulator in.",
    retry: "never",
    remedy:
      "Check that it runs, its CA, user and password, and that its rules let the emulator use the topics of devices.",
  },
  "emulator.closed": {
    summary: "The emulator was closed while something was waiting on it.",
    retry: "never",
    remedy: "Nothing to do; this is what closing means for whoever still waits.",
  },
  "emulator.rejected": {
    summary: "The emulated service refused an operation of its owner.",
    retry: "never",
    remedy: "The message tells the rule.",
  },
} as const satisfies Record<string, ErrorDefinition>;

/** A code from {@link errorTable}, such as `provisioning.unauthorized`. */
export type ErrorCode = keyof typeof errorTable;

/** What a cloud service said about a failure; each field is present only when the service sent it. */
export interface ServiceReport {
  /** The service's own error code, such as 401002. */
  readonly errorCode?: number;
  /** The id that Azure support asks for. */
  readonly trackingId?: string;
  /** The service's message, without control characters, and cut where it is very long. */
  readonly message?: string;
  /** HTTP-class status: 401, 429, 500 … On MQTT it comes from the response topic. */
  readonly status?: number;
}

/** What {@link LandfallError} takes beside its code and message. */
export interface LandfallErrorOptions {
  readonly cause?: unknown;
  /** Milliseconds the peer asked to wait; meaningful for the retry class `after`. */
  readonly retryAfterMs?: number;
  readonly service?: ServiceReport;
  /** More lines for people, each a fact; never a secret. */
  readonly details?: readonly string[];
}

const brand = Symbol.for("landfall.error");

/**
 * The one error type of landfall. `code` tells errors apart, never the message.
 * Messages and details never contain secrets.
 */
export class LandfallError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  readonly service: ServiceReport | undefined;
  readonly details: readonly string[];

  constructor(code: ErrorCode, message: string, options: LandfallErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "LandfallError";
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.service = options.service;
    this.details = options.details ?? [];
    Object.defineProperty(this, brand, { value: true });
  }

  /** Whether, and how, the same attempt may be made again. */
  get retry(): RetryClass {
    return errorTable[this.code].retry;
  }

  /** What the reader can do about it; doctor and the command line print this. */
  get remedy(): string {
    return errorTable[this.code].remedy;
  }

  /** The form that `--json` output and logs use. */
  toJSON(): Record<string, unknown> {
    return {
      code: this.code,
      message: this.message,
      retry: this.retry,
      remedy: this.remedy,
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
      ...(this.service === undefined ? {} : { service: this.service }),
      ...(this.details.length === 0 ? {} : { details: this.details }),
      ...(this.cause === undefined ? {} : { cause: describeCause(this.cause) }),
    };
  }
}

/** Whether `value` is a {@link LandfallError}, also one made by another copy of this package. */
export function isLandfallError(value: unknown): value is LandfallError {
  return typeof value === "object" && value !== null && brand in value;
}

/** Whether a failure may pass by itself, so that trying again later makes sense. What nobody foresaw does not. */
export function mayPass(error: unknown): error is LandfallError {
  return isLandfallError(error) && error.retry !== "never";
}

/** The message of anything that was thrown, on one line. */
export function describeCause(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) {
    return cause.errors.map(describeCause).join("; ");
  }
  if (cause instanceof Error) {
    const code = (cause as NodeJS.ErrnoException).code;
    const message = cause.message || cause.name;
    return code !== undefined && !message.includes(code) ? `${code}: ${message}` : message;
  }
  return typeof cause === "string" ? cause : inspect(cause, { depth: 1, breakLength: Infinity });
}
