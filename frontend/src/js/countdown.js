// Times left tick by the server's clock, not by the visitor's; said as web/clockface.py says them.
export function countdowns() {
  const page = document.body.dataset;
  const skew = page.now ? Date.parse(page.now) - Date.now() : 0;
  const tick = () => document.querySelectorAll("time[data-left]").forEach((mark) => show(mark, skew, page));
  tick();
  setInterval(tick, 20_000);
  document.addEventListener("htmx:afterSwap", tick);
}

function show(mark, skew, page) {
  const seconds = Math.floor((Date.parse(mark.dateTime) - Date.now() - skew) / 1000);
  const text = (seconds < 0 ? `${page.late} ` : "") + span(Math.floor(Math.abs(seconds) / 60), page);
  if (mark.textContent !== text) mark.textContent = text;
  mark.classList.toggle("late", seconds < 0);
  mark.classList.toggle("soon", seconds >= 0 && seconds < 3600);
}

function span(total, page) {
  const [days, hours, minutes] = [Math.floor(total / 1440), Math.floor(total / 60) % 24, total % 60];
  if (days > 1 || (days && !hours)) return `${days} ${page.days}`;
  if (days) return `${days} ${page.days} ${hours} ${page.hours}`;
  return (hours ? `${hours} ${page.hours} ` : "") + `${minutes} ${page.minutes}`;
}
