// One document's way: its bytes are fetched, compared with what the page shows, signed, and the signature is sent.
import { by, say } from "./config.js";

const hexadecimal = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function fetched(paper) {
  const answer = await fetch(paper.document, { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok || answer.redirected) throw new Error(say("not_fetched"));
  const bytes = new Uint8Array(await answer.arrayBuffer());
  // Without a secure address the browser computes no hash; the server compares what was signed in any case.
  if (window.crypto.subtle && hexadecimal(await window.crypto.subtle.digest("SHA-256", bytes)) !== paper.sha256) throw new Error(say("changed"));
  return bytes;
}

async function sent(paper, signature) {
  const body = new FormData();
  body.append("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  body.append("signature", new Blob([signature]), "signature.p7s");
  const answer = await fetch(paper.sign, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
  const said = await answer?.json().catch(() => null);
  if (!answer?.ok || !said?.done) throw new Error(said?.refused ?? say("not_sent"));
  return said;
}

// Resolves to what the server says; rejects with words for the person. `tell` hears how far it is.
export async function signPaper(signer, certificate, paper, tell) {
  tell(say("fetching"));
  const bytes = await fetched(paper);
  tell(say("signing"));
  const signature = await signer.sign(certificate, bytes).catch((trouble) => {
    throw new Error(`${say("plugin_failed")}: ${trouble.message ?? trouble}`);
  });
  tell(say("sending"));
  return sent(paper, signature);
}

// Fill the choice of certificates. Resolves to whether there is any.
export async function offerCertificates(signer, tell) {
  tell(say("asking"));
  const found = await signer.certificates();
  const options = found.map(({ id, subject, issuer, until }) => new Option(`${subject} — ${issuer}, ${say("until")} ${until.toLocaleDateString()}`, id));
  by("certificate").replaceChildren(...options);
  tell(found.length ? "" : say("no_certificates"));
  return found.length > 0;
}
