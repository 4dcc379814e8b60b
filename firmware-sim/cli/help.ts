/** `landfall-mcu-sim --help`. */
export const helpText = `usage: landfall-mcu-sim [OPTIONS]

A microcontroller on this machine that speaks SMP on a serial line, until SIGINT or SIGTERM. Prints one line of JSON
(landfall.mcu-sim/1: port, registration id, symmetric key, version, boot) on standard output when it is ready.

where it is found
  (none)                   a serial device: a pseudo terminal, made with script(1)
  --socat                  the same, made with socat(1)
  --link PATH              a link to the device, so that it comes back under its name
  --unix PATH              a Unix socket instead
  --tcp PORT               a TCP port instead (0: any free one)
  --host ADDRESS           address to listen on with --tcp (default: 127.0.0.1)

what it is
  --flash FILE             images, settings and starts last in this file (default: in memory)
  --seed NUMBER            same seed, same key, readings and numbers of its starts
  --registration-id ID     default: mcu-sim
  --key-file FILE          symmetric key, base64 (default: one made with the board, which the JSON line shows)
  --certificate FILE       chain of a P-256 key, PEM, the device's own first
  --private-key FILE       that key, PEM
  --tpm PATH               Unix socket of a swtpm that stands behind the MCU
  --token-life SECONDS     longest life of a token (default: 86400)
  --buffer-bytes NUMBER    buffer for a packet (default: 1024)
  --start-ms NUMBER        how long a start takes (default: 100)
  --erase-ms NUMBER        how long erasing a slot takes (default: 0)

what goes wrong
  --misbehave WHAT[:GROUP/COMMAND[:TIMES]]
                           may be repeated; TIMES may be "always". WHAT is one of lose-request, lose-answer,
                           corrupt-answer, repeat-answer, wrong-sequence, delay, refuse, chatter, hang, reset

  -v, --verbose            tell what happens, on standard error
  -h, --help               this text`;
