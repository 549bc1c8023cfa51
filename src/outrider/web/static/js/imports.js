// The import form: shows how the first rows would be read, uploads with progress, and follows the imports.
import "./live.js";
import { morphHtml } from "./morph.js";
import { describe } from "./requests.js";
import { toast } from "./toast.js";

const PREVIEWED = 256 * 1024;
const EVERY = 700;

const form = document.querySelector("form[data-import]");
const file = form?.elements.file;

form?.addEventListener("change", (event) => {
  if (event.target === file) document.getElementById("preview").replaceChildren();
  if (event.target === file || event.target.matches("[name=delimiter], [name=encoding], [data-maps]")) preview();
});

let asked = 0;
async function preview() {
  const chosen = file.files[0];
  if (!chosen) return;
  const mine = ++asked;
  const query = new URLSearchParams({ file_name: chosen.name, delimiter: form.elements.delimiter.value, encoding: form.elements.encoding.value });
  for (const select of form.querySelectorAll("[data-maps]")) if (select.value) query.append("map", select.value);
  try {
    const response = await fetch(`${form.dataset.import}?${query}`, {
      method: "POST",
      headers: { "HX-Request": "true", "X-CSRF-Token": form.elements.csrf_token.value, "Content-Type": "application/octet-stream" },
      body: chosen.slice(0, PREVIEWED),
    });
    const text = await response.text();
    if (mine !== asked) return;
    if (response.ok) document.getElementById("preview").innerHTML = text;
    else toast(describe(text), "bad");
  } catch {
    toast("The server cannot be reached: no preview.", "bad");
  }
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const upload = document.getElementById("upload");
  const bar = upload.querySelector("progress");
  const words = upload.querySelector("[role=status]");
  const button = form.querySelector("[type=submit]");
  const request = new XMLHttpRequest();
  // Percent is told to screen readers by the bar; the words change only when something else begins.
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.value = total ? (100 * loaded) / total : 0;
    if (loaded === total) words.textContent = "Uploaded; it is being saved …";
  });
  request.addEventListener("loadend", () => {
    upload.hidden = true;
    button.disabled = false;
    const elsewhere = request.getResponseHeader("HX-Redirect");
    if (elsewhere) location.href = elsewhere;
    else if (request.status === 0) toast("The upload broke off: the server cannot be reached. Nothing was imported.", "bad");
    else if (request.status >= 400) toast(describe(request.responseText), "bad");
    else {
      form.reset();
      document.getElementById("preview").replaceChildren();
      refresh(true);
    }
  });
  request.open("POST", form.action);
  request.setRequestHeader("HX-Request", "true");
  request.setRequestHeader("Accept", "application/json");
  bar.value = 0;
  words.textContent = "Uploading …";
  upload.hidden = false;
  button.disabled = true;
  request.send(new FormData(form));
});

let timer;
let wasActive = document.getElementById("imports")?.dataset.active !== undefined;

async function refresh(force = false) {
  clearTimeout(timer);
  const imports = document.getElementById("imports");
  if (!imports) return;
  if (force || imports.dataset.active !== undefined) {
    try {
      const response = await fetch(imports.dataset.refresh, { headers: { "HX-Request": "true", Accept: "text/html" } });
      if (response.ok) morphHtml(imports, await response.text());
    } catch {
      // Tried again below.
    }
  }
  const active = imports.dataset.active !== undefined;
  if (wasActive && !active) toast("The import has ended; its numbers are below.", "info");
  wasActive = active;
  if (active) timer = setTimeout(refresh, EVERY);
}

document.addEventListener("submit", (event) => {
  if (event.target.matches("#imports [data-live]")) setTimeout(() => refresh(true), 300);
});

refresh();
