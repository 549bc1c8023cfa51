// The form of a strategy: what is typed is checked at once and the problems appear beside the fields; buttons
// that change the form's shape are answered by the server with the new form. Without this, they reload the page.
import { describe } from "./requests.js";
import { toast } from "./toast.js";

const form = document.querySelector("[data-strategy]");
const editable = form.querySelector("[name=then]") !== null;
let asked = 0;
let dirty = false;

// A form of many fields travels as one: servers limit how many there may be.
form.addEventListener("formdata", ({ formData }) => {
  const fields = new URLSearchParams([...formData].filter(([name]) => name !== "csrf_token"));
  for (const name of new Set([...formData.keys()])) if (name !== "csrf_token") formData.delete(name);
  formData.set("fields", fields.toString());
});

form.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button?.dataset.leaves !== undefined) {
    dirty = false;
    return;
  }
  event.preventDefault();
  send(button?.value ?? "", true);
});

form.addEventListener("input", () => { dirty = true; });

form.addEventListener("change", (event) => {
  if (!editable || event.target.name?.startsWith("new:")) return;
  send("", event.target.dataset.reshapes !== undefined);
});

window.addEventListener("beforeunload", (event) => {
  if (dirty) event.preventDefault();
});

// Links of the outline open what is folded on the way.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-leads]");
  const target = link && document.getElementById(link.hash.slice(1));
  if (!target) return;
  event.preventDefault();
  lead(target);
});

async function send(command, whole) {
  const mine = ++asked;
  if (command) dirty = true;
  const data = new FormData(form);
  const fields = new URLSearchParams(data.get("fields"));
  fields.set("do", command || "check form");
  data.set("fields", fields.toString());
  try {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { "HX-Request": "true", "HX-Current-URL": location.href, "X-CSRF-Token": data.get("csrf_token") },
      body: new URLSearchParams(data),
    });
    const text = await response.text();
    const elsewhere = response.headers.get("HX-Redirect");
    if (elsewhere) location.href = elsewhere;
    else if (!response.ok) toast(describe(text), "bad");
    else if (mine === asked) show(text, whole);
  } catch {
    toast("The server cannot be reached: nothing is lost, try again when it is back.", "bad");
  }
}

function show(html, whole) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const made = template.content.firstElementChild;
  const present = document.getElementById("strategy-form");
  if (whole) replace(present, made);
  else for (const slot of present.querySelectorAll("[data-slot]")) refresh(slot, made.querySelector(`#${CSS.escape(slot.id)}`));
}

// Only what the check says; what people type stays as it is.
function refresh(slot, made) {
  if (!made || slot.innerHTML === made.innerHTML) return;
  const folded = new Map([...slot.querySelectorAll("details")].map((each) => [each.id, each.open]));
  slot.replaceChildren(...made.childNodes);
  for (const each of slot.querySelectorAll("details")) each.open = folded.get(each.id) ?? each.open;
  for (const input of document.querySelectorAll(`[aria-describedby~="${CSS.escape(slot.id)}"]`)) {
    if (slot.childElementCount) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
}

function replace(present, made) {
  const open = new Set([...present.querySelectorAll("details[open]")].map((each) => each.id));
  const focused = document.activeElement?.id;
  for (const each of made.querySelectorAll("details")) each.open ||= open.has(each.id);
  present.replaceWith(made);
  const wanted = made.dataset.focus && document.getElementById(made.dataset.focus);
  if (wanted) lead(wanted);
  else if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

function lead(target) {
  for (let each = target; each; each = each.parentElement) if (each instanceof HTMLDetailsElement) each.open = true;
  const first = target.matches("input, select, textarea") ? target
    : target.querySelector("input:not([type=hidden]), select, textarea:not([hidden])");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  target.scrollIntoView({ block: target.matches("section") ? "start" : "center", behavior: calm ? "auto" : "smooth" });
  (first ?? target).focus({ preventScroll: true });
}
