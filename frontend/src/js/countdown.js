// Times left tick by the server's clock, not by the visitor's.
const MINUTE = 60;

export function countdowns() {
  const page = document.body.dataset;
  const skew = page.now ? Date.parse(page.now) - Date.now() : 0;
  const tick = () => document.querySelectorAll("time[data-left]").forEach((mark) => show(mark, skew, page));
  tick();
  setInterval(tick, 20_000);
  document.addEventListener("htmx:afterSwap", tick);
}

function show(mark, skew, page) {
  const seconds = Math.round((Date.parse(mark.dateTime) - Date.now() - skew) / 1000);
  const minutes = Math.floor(Math.abs(seconds) / MINUTE);
  const words = [
    minutes >= 1440 && `${Math.floor(minutes / 1440)} ${page.days}`,
    minutes >= MINUTE && minutes < 2880 && `${Math.floor((minutes % 1440) / MINUTE)} ${page.hours}`,
    minutes < 1440 && `${minutes % MINUTE} ${page.minutes}`,
  ].filter(Boolean);
  mark.textContent = (seconds < 0 ? `${page.late} ` : "") + words.join(" ");
  mark.classList.toggle("late", seconds < 0);
  mark.classList.toggle("soon", seconds >= 0 && seconds < 3600);
}
