// Signing at the person's own side: one document on its page, or several on the signatory's desk, one after the other.
import { by, config, say } from "./config.js";
import { offerCertificates, signPaper } from "./paper.js";
import { findSigner } from "./signers.js";

const telling = by("telling");
const button = by("sign");

const tell = (text, isBad = false) => {
  telling.textContent = text;
  telling.hidden = !text;
  telling.className = text && isBad ? "notice bad" : "";
};

async function signOne(signer) {
  const paper = { document: config.document, sign: window.location.pathname, sha256: by("sha256").textContent };
  button.disabled = true;
  try {
    const { url } = await signPaper(signer, by("certificate").value, paper, tell);
    window.location.assign(url);
  } catch (trouble) {
    tell(trouble.message, true);
    button.disabled = false;
    button.focus();
  }
}

const rows = () => [...document.querySelectorAll("#bulk tr[data-sign]")];
const box = (row) => row.querySelector("input[type=checkbox]");
const chosen = () => rows().filter((row) => box(row).checked && !box(row).disabled);

function show(row, tone, word, text = "") {
  const badge = document.createElement("span");
  [badge.className, badge.textContent] = [`badge ${tone}`, word];
  const more = document.createElement("small");
  more.textContent = text;
  row.querySelector(".result").replaceChildren(badge, more);
}

// Each for itself: one that fails says why, and the next one is signed.
async function signRow(signer, certificate, row) {
  try {
    await signPaper(signer, certificate, row.dataset, (text) => show(row, "", text));
    box(row).checked = false;
    box(row).disabled = true;
    show(row, "accent", say("signed"));
    return true;
  } catch (trouble) {
    show(row, "bad", say("failed"), trouble.message);
    return false;
  }
}

async function signChosen(signer) {
  const papers = chosen();
  if (!papers.length) return tell(say("choose"), true);
  button.disabled = true;
  const certificate = by("certificate").value;
  let good = 0;
  for (const row of papers) good += await signRow(signer, certificate, row);
  tell(say("done").replace("%(good)s", good).replace("%(bad)s", papers.length - good), good < papers.length);
  button.disabled = false;
  return count();
}

function count() {
  const present = rows().filter((row) => !box(row).disabled);
  by("selected").textContent = chosen().length;
  by("all").checked = present.length > 0 && chosen().length === present.length;
  by("all").indeterminate = chosen().length > 0 && !by("all").checked;
}

function offerChoice() {
  for (const one of [by("all"), ...rows().map(box)]) one.hidden = false;
  by("all").addEventListener("change", () => {
    for (const row of rows()) if (!box(row).disabled) box(row).checked = by("all").checked;
    count();
  });
  for (const row of rows()) box(row).addEventListener("change", count);
  count();
}

async function begin() {
  if (!by("plugin")) return;
  by("plugin").hidden = false;
  tell(say("looking"));
  const signer = await findSigner();
  if (!signer) return tell(say("none"));
  try {
    if (!(await offerCertificates(signer, tell))) return undefined;
  } catch (trouble) {
    return tell(`${say("plugin_failed")}: ${trouble.message ?? trouble}`, true);
  }
  by("with-plugin").hidden = false;
  if (by("bulk")) offerChoice();
  button.addEventListener("click", () => (by("bulk") ? signChosen(signer) : signOne(signer)));
  return undefined;
}

begin();
