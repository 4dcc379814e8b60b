import { serveSigner } from "../engine/serve-signer.ts";
import { openMcuSigner } from "./open-mcu-signer.ts";

void serveSigner(openMcuSigner);
