/* Group 70: who the device is, and what it signs. No TPM is behind this firmware, so 70/4 is not there. */
#include "boot-count.h"
#include "console-frame.h"
#include "groups.h"
#include "identity.h"
#include "sas-token.h"
#include "signature-limit.h"
#include "statistics.h"

/* A piece of the chain leaves room for header, names and numbers. */
#define CERTIFICATE_PIECE_BYTES (CONSOLE_PACKET_BYTES - 64u)

static smp_outcome who(cbor_item request, cbor_writer *answer) {
  (void)request;
  cbor_put_text(answer, "rid");
  cbor_put_text_view(answer, identity_registration_id());
  cbor_put_text(answer, "kinds");
  cbor_put_array(answer);
  if (identity_has_symmetric_key()) cbor_put_text(answer, "sas");
  if (identity_has_p256_key()) cbor_put_text(answer, "p256");
  cbor_put_end(answer);
  cbor_put_named_uint(answer, "life", identity_token_life());
  cbor_put_named_uint(answer, "boot", boot_count());
  return smp_ok();
}

static bool find_uint64(cbor_item map, const char *name, uint64_t *value) {
  cbor_item item;
  return cbor_find(map, name, &item) && cbor_uint64(item, value);
}

static bool read_sas_request(cbor_item request, sas_request *sas, uint64_t *now) {
  bytes_view audience;
  cbor_item item;
  if (!cbor_find_text(request, "for", 3, 3, &audience)) return false;
  sas->for_provisioning = bytes_equal_text(audience, "dps");
  if (!sas->for_provisioning && !bytes_equal_text(audience, "hub")) return false;
  sas->device = identity_registration_id();
  if (cbor_find(request, "dev", &item) && !cbor_find_text(request, "dev", 1, 128, &sas->device)) return false;
  return cbor_find_text(request, "scope", 1, 256, &sas->scope) && find_uint64(request, "now", now) &&
         find_uint64(request, "exp", &sas->expires_at);
}

static smp_outcome sign_token(cbor_item request, cbor_writer *answer) {
  sas_request sas;
  uint64_t now;
  if (!identity_has_symmetric_key()) return smp_group_fault(SMP_NOT_SUPPORTED);
  if (!read_sas_request(request, &sas, &now) || sas.expires_at <= now ||
      sas.expires_at - now > identity_token_life()) {
    return smp_group_fault(SMP_INVALID);
  }
  /* A registration has one name only; another device id is a matter of the hub. */
  if (sas.for_provisioning) sas.device = identity_registration_id();
  char token[SAS_TOKEN_MAX_BYTES + 1];
  if (!sas_token_write(&sas, token)) return smp_group_fault(SMP_TOO_LARGE);
  statistics.tokens_signed++;
  cbor_put_named_text(answer, "token", token);
  return smp_ok();
}

static smp_outcome read_certificate(cbor_item request, cbor_writer *answer) {
  const uint32_t length = identity_certificate_length();
  uint32_t offset;
  if (!cbor_find_uint32(request, "off", &offset)) return smp_group_fault(SMP_INVALID);
  if (length == 0) return smp_group_fault(SMP_NO_ENTRY);
  if (offset > length) return smp_group_fault(SMP_INVALID);
  uint8_t piece[CERTIFICATE_PIECE_BYTES];
  const bytes_view data = {piece, length - offset < sizeof piece ? length - offset : sizeof piece};
  if (!identity_certificate_read(offset, piece, data.length)) return smp_group_fault(SMP_UNKNOWN);
  cbor_put_named_uint(answer, "off", offset);
  cbor_put_named_uint(answer, "len", length);
  cbor_put_text(answer, "data");
  cbor_put_bytes(answer, data);
  return smp_ok();
}

static smp_outcome sign_digest(cbor_item request, cbor_writer *answer) {
  bytes_view digest;
  if (!identity_has_p256_key()) return smp_group_fault(SMP_NOT_SUPPORTED);
  if (!cbor_find_bytes(request, "hash", IDENTITY_DIGEST_BYTES, IDENTITY_DIGEST_BYTES, &digest)) {
    return smp_group_fault(SMP_INVALID);
  }
  if (!signature_allowed()) {
    statistics.signatures_refused++;
    return smp_group_fault(SMP_BUSY);
  }
  uint8_t signature[IDENTITY_SIGNATURE_MAX_BYTES];
  const bytes_view signed_digest = {signature, identity_sign(digest.data, signature)};
  if (signed_digest.length == 0) return smp_group_fault(SMP_UNKNOWN);
  statistics.digests_signed++;
  cbor_put_text(answer, "sig");
  cbor_put_bytes(answer, signed_digest);
  return smp_ok();
}

static const smp_command commands[] = {
    {0, who, NULL},
    {1, NULL, sign_token},
    {2, read_certificate, NULL},
    {3, NULL, sign_digest},
};

const smp_group identity_group = {70, commands, sizeof commands / sizeof commands[0], NULL};
