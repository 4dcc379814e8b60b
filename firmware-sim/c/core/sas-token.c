#include "sas-token.h"

#include "base64.h"
#include "identity.h"
#include "text.h"

static void put_resource(text_builder *text, const sas_request *request) {
  text_put_encoded(text, request->scope);
  text_put_encoded(text, text_view(request->for_provisioning ? "/registrations/" : "/devices/"));
  text_put_encoded(text, request->device);
}

bool sas_token_write(const sas_request *request, char token[SAS_TOKEN_MAX_BYTES + 1]) {
  char signed_text[SAS_TOKEN_MAX_BYTES + 1];
  text_builder text = text_builder_over(signed_text, sizeof signed_text);
  put_resource(&text, request);
  text_put(&text, "\n");
  text_put_uint(&text, request->expires_at);

  uint8_t mac[IDENTITY_MAC_BYTES];
  const bytes_view to_sign = {(const uint8_t *)signed_text, text.length};
  if (text.cut || !identity_authenticate(to_sign, mac)) return false;
  char signature[BASE64_LENGTH(IDENTITY_MAC_BYTES)];
  const bytes_view encoded = {(const uint8_t *)signature, base64_encode(mac, sizeof mac, signature)};

  text = text_builder_over(token, SAS_TOKEN_MAX_BYTES + 1);
  text_put(&text, "SharedAccessSignature sr=");
  put_resource(&text, request);
  text_put(&text, "&sig=");
  text_put_encoded(&text, encoded);
  text_put(&text, "&se=");
  text_put_uint(&text, request->expires_at);
  /* The provisioning service names the policy of a device's own key; a hub has no name for it. */
  if (request->for_provisioning) text_put(&text, "&skn=registration");
  return !text.cut;
}
