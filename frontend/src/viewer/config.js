// What the page tells us: web/viewer/config.py says what stands in it.
// The page's script and the engine are bundles of their own and share it.
const given = document.getElementById("viewer-config");
export const config = (given.config ??= JSON.parse(given.textContent));
export const say = (name) => config.texts[name] ?? name;

export async function send(url, body) {
  const isForm = body instanceof FormData;
  const answer = await fetch(url, {
    method: "POST",
    headers: { "X-CSRFToken": config.csrf, ...(isForm ? {} : { "Content-Type": "application/json" }) },
    body: isForm ? body : JSON.stringify(body ?? {}),
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.error ?? said.refusal ?? said.message ?? say("not_saved"));
  return said;
}
