// What the page tells us: web/browsertest/views.py says what stands in it.
export const config = JSON.parse(document.getElementById("browsertest-config").textContent);
export const say = (name) => config.texts[name] ?? name;

export async function send(url, body = {}) {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "X-CSRFToken": config.csrf, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.refusal ?? say("failed"));
  return said;
}

export const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
