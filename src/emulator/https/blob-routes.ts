import type { BlobStore } from "../blob-store.ts";
import type { HttpAnswer, HttpOutcome, HttpRequest, HttpRoute } from "./http-route.ts";

/** Largest body of one request; the cloud's limit is far beyond what a test needs. */
const maxBodyBytes = 64 * 1024 * 1024;

/**
 * As much of Azure Blob Storage as a file upload takes: a block blob in one piece, or block by block and then the list of
 * blocks. The address carries the credential.
 */
export function blobRoutes(store: BlobStore): readonly HttpRoute[] {
  return [{ method: "PUT", path: "/:container/*blob", maxBodyBytes, handle: (request) => put(store, request) }];
}

function put(store: BlobStore, { parameters, query, headers, body }: HttpRequest): HttpOutcome {
  const { container = "", blob = "" } = parameters;
  const upload = store.open(`${container}/${blob}`, query.get("sig") ?? "");
  if (upload === undefined) return refused(403, "AuthenticationFailed", "The signature opens no upload of this name.");
  const operation = query.get("comp");
  if (operation === "block") {
    const blockId = query.get("blockid");
    if (!blockId) return refused(400, "MissingRequiredQueryParameter", "A block needs a blockid.");
    return upload.putBlock(blockId, body) ? created() : tooLarge();
  }
  if (operation === "blocklist") {
    return upload.commit(blockIdsIn(body.toString("utf8")))
      ? created()
      : refused(400, "InvalidBlockList", "The list names a block that was not sent.");
  }
  if (operation !== null) return refused(400, "InvalidQueryParameterValue", `comp=${operation} is not served here.`);
  if (headers["x-ms-blob-type"] !== "BlockBlob") {
    return refused(400, "InvalidHeaderValue", "x-ms-blob-type has to be BlockBlob.");
  }
  return upload.put(body) ? created() : tooLarge();
}

function blockIdsIn(list: string): readonly string[] {
  return [...list.matchAll(/<(Latest|Uncommitted|Committed)>([^<]*)<\/\1>/g)].map(([, , id = ""]) => id.trim());
}

function created(): HttpAnswer {
  return { status: 201, headers: { etag: '"0x8D0000000000000"', "x-ms-version": "2021-04-10" } };
}

function tooLarge(): HttpAnswer {
  return refused(413, "RequestBodyTooLarge", "The emulator keeps no blob of this size.");
}

function refused(status: number, code: string, message: string): HttpAnswer {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return { status, headers: { "content-type": "application/xml", "x-ms-error-code": code }, body };
}
