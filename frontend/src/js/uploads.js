// A plain upload form shows its progress; without scripts the browser sends it as it is.
export function uploads() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-upload]")) return;
    event.preventDefault();
    send(form, event.submitter);
  });
}

function send(form, button) {
  const bar = form.querySelector("progress");
  const note = form.querySelector("[data-upload-note]");
  const request = new XMLHttpRequest();
  const body = new FormData(form, button);
  bar.hidden = false;
  request.upload.onprogress = (event) => {
    bar.max = event.total;
    bar.value = event.loaded;
    note.textContent = `${Math.round((100 * event.loaded) / event.total)} %`;
  };
  request.onload = () => finish(request, note, form);
  request.onerror = () => fail(note, form, bar);
  request.open("POST", form.action);
  request.setRequestHeader("X-Upload", "1");
  request.send(body);
}

function finish(request, note, form) {
  if (request.status < 300) {
    window.location.assign(request.responseURL);
    return;
  }
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const words = page.querySelector("[data-refusal]");
  note.textContent = words ? words.textContent.trim() : form.dataset.failed;
  release(form);
}

function fail(note, form, bar) {
  bar.hidden = true;
  note.textContent = form.dataset.failed;
  release(form);
}

function release(form) {
  form.querySelectorAll("button[disabled]").forEach((button) => (button.disabled = false));
}
