/*
 * An OpenSSL engine that has somebody else sign: a TPM or a microcontroller behind the signer of a landfall process.
 *
 * TLS asks this engine for a signature and gets it from a Unix socket, on the other side of which another thread of the
 * same process talks to the hardware. The private key is not here; neither is anything that knows what a TPM is.
 *
 * A key is named by   TOKEN:SPKI:PATH
 *   TOKEN  64 characters, which prove to the signer that the request comes from its own process
 *   SPKI   the public key on P-256, DER in base64
 *   PATH   the signer's socket
 *
 * One connection is one signature: TOKEN and a digest of 32 bytes go out, a length of one byte and an ECDSA signature in
 * DER come back; the length is 0 when the signer refuses.
 *
 * Build without -lcrypto, so that the symbols are those of the process that loads it:
 *   cc -O2 -fPIC -shared -o landfall.so landfall-engine.c
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* engines are, since OpenSSL 3.0 */
#define _GNU_SOURCE /* struct ucred */
#include <errno.h>
#include <openssl/ec.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { TOKEN_BYTES = 64, DIGEST_BYTES = 32, MAX_SPKI_BYTES = 128, ANSWER_SECONDS = 10 };

/* What a key carries beside its public half. */
struct signer {
  char token[TOKEN_BYTES];
  struct sockaddr_un address;
};

static EC_KEY_METHOD *method;
static int signer_index = -1, error_library;

enum { BAD_NAME = 1, NO_SIGNER, REFUSED };
static ERR_STRING_DATA reasons[] = {
    {ERR_PACK(0, 0, BAD_NAME), "the name of the key is malformed"},
    {ERR_PACK(0, 0, NO_SIGNER), "the signer of the key in hardware does not answer"},
    {ERR_PACK(0, 0, REFUSED), "the hardware did not sign"},
    {0, NULL}};

static int fail(int reason) {
  ERR_raise(error_library, reason);
  return 0;
}

static void free_signer(void *parent, void *signer, CRYPTO_EX_DATA *ad, int index, long argl, void *argp) {
  OPENSSL_clear_free(signer, sizeof(struct signer));
}

/* Nothing in TLS copies keys. A copy cannot sign. */
static int dup_signer(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **signer, int index, long argl, void *argp) {
  *signer = NULL;
  return 1;
}

/* A signal, such as that of a child's end, interrupts a wait that has a time limit; it is taken up again. */
static int transfer(int socket, unsigned char *bytes, size_t length, int out) {
  for (ssize_t moved; length > 0; bytes += moved, length -= (size_t)moved) {
    moved = out ? send(socket, bytes, length, MSG_NOSIGNAL) : recv(socket, bytes, length, 0);
    if (moved < 0 && errno == EINTR) moved = 0;
    else if (moved <= 0) return 0;
  }
  return 1;
}

/* The path is no proof of who listens there: the process that does has to be this one. */
static int is_own_process(int socket) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == getpid();
}

/* ECDSA on P-256 uses the leftmost 256 bits of a digest, so that SHA-384 and SHA-512 come down to 32 bytes as well. */
static int sign(int type, const unsigned char *digest, int digest_length, unsigned char *signature,
                unsigned int *signature_length, const BIGNUM *kinv, const BIGNUM *r, EC_KEY *key) {
  struct signer *signer = EC_KEY_get_ex_data(key, signer_index);
  if (signer == NULL || digest_length < DIGEST_BYTES) return fail(REFUSED);

  unsigned char request[TOKEN_BYTES + DIGEST_BYTES], length = 0;
  memcpy(request, signer->token, TOKEN_BYTES);
  memcpy(request + TOKEN_BYTES, digest, DIGEST_BYTES);

  int line = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct timeval patience = {.tv_sec = ANSWER_SECONDS};
  int reached = line >= 0 && setsockopt(line, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
                setsockopt(line, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
                connect(line, (struct sockaddr *)&signer->address, sizeof signer->address) == 0 &&
                is_own_process(line) && transfer(line, request, sizeof request, 1) && transfer(line, &length, 1, 0);
  int is_signed = reached && length > 0 && length <= ECDSA_size(key) && transfer(line, signature, length, 0);
  if (line >= 0) close(line);
  OPENSSL_cleanse(request, sizeof request);
  *signature_length = length;
  return is_signed ? 1 : fail(reached ? REFUSED : NO_SIGNER);
}

/* The public half out of its base64 text; NULL when it is anything else than a key on P-256. */
static EC_KEY *read_public(const char *text, size_t length) {
  unsigned char der[MAX_SPKI_BYTES + 3];
  const unsigned char *start = der;
  if (length == 0 || length > MAX_SPKI_BYTES / 3 * 4) return NULL;
  int size = EVP_DecodeBlock(der, (const unsigned char *)text, (int)length);
  EC_KEY *key = size < 0 ? NULL : d2i_EC_PUBKEY(NULL, &start, size);
  if (key == NULL || EC_GROUP_get_curve_name(EC_KEY_get0_group(key)) == NID_X9_62_prime256v1) return key;
  EC_KEY_free(key);
  return NULL;
}

static EVP_PKEY *load(ENGINE *engine, const char *name, UI_METHOD *ui, void *data) {
  struct signer *signer = OPENSSL_zalloc(sizeof *signer);
  const char *spki = strlen(name) > TOKEN_BYTES && name[TOKEN_BYTES] == ':' ? name + TOKEN_BYTES + 1 : NULL;
  const char *path = signer != NULL && spki != NULL ? strchr(spki, ':') : NULL;
  EC_KEY *key = path != NULL ? read_public(spki, (size_t)(path++ - spki)) : NULL;
  EVP_PKEY *result = EVP_PKEY_new();
  int good = key != NULL && result != NULL && strlen(path) < sizeof signer->address.sun_path;
  if (good) {
    memcpy(signer->token, name, TOKEN_BYTES);
    signer->address.sun_family = AF_UNIX;
    strcpy(signer->address.sun_path, path);
    good = EC_KEY_set_method(key, method) && EC_KEY_set_ex_data(key, signer_index, signer);
    if (good) signer = NULL; /* the key's from here on */
    if (good && EVP_PKEY_assign_EC_KEY(result, key)) return result;
  }
  if (signer != NULL) OPENSSL_clear_free(signer, sizeof *signer);
  EC_KEY_free(key);
  EVP_PKEY_free(result);
  fail(BAD_NAME);
  return NULL;
}

static int set_up(ENGINE *engine, const char *id) {
  if (id != NULL && strcmp(id, "landfall") != 0) return 0;
  error_library = ERR_get_next_error_library();
  method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
  signer_index = EC_KEY_get_ex_new_index(0, NULL, NULL, dup_signer, free_signer);
  if (method == NULL || signer_index < 0 || !ERR_load_strings(error_library, reasons)) return 0;
  EC_KEY_METHOD_set_sign(method, sign, NULL, NULL);
  return ENGINE_set_id(engine, "landfall") && ENGINE_set_name(engine, "landfall: keys in hardware") &&
         ENGINE_set_load_privkey_function(engine, load);
}

IMPLEMENT_DYNAMIC_BIND_FN(set_up)
IMPLEMENT_DYNAMIC_CHECK_FN()
