// What the page tells us: web/signing/texts.py says what stands in it.
export const config = JSON.parse(document.getElementById("signing-config").textContent);
export const say = (name) => config.texts[name] ?? name;
export const by = (id) => document.getElementById(id);
