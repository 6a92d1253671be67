// Whoever can sign at the person's own side. Keys never come near the page: it gives bytes away and gets a signature.
//
// A signer is { name, find(), certificates(), sign(id, bytes) }:
//   find()          resolves to whether it is there; asks nobody anything
//   certificates()  resolves to [{ id, subject, issuer, until }], those that are valid now and have a key
//   sign(id, bytes) resolves to a detached CMS in DER over exactly these bytes, both Uint8Array
// Each may reject with an Error whose message is in the signer's own words.
import { cryptopro } from "./cryptopro.js";

const SIGNERS = [cryptopro];

export async function findSigner() {
  for (const signer of SIGNERS) if (await signer.find()) return signer;
  return null;
}
