// What the page brings along: addresses, who one is, and every word in the reader's language.
export const config = JSON.parse(document.getElementById("room-config").textContent);

export const say = (name) => config.texts[name] ?? name;

// Words are always text, never markup.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}
