import { serveSigner } from "../engine/serve-signer.ts";
import { openTpmSigner } from "./open-tpm-signer.ts";

void serveSigner(openTpmSigner);
