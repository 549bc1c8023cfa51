// Numbers that are saved as soon as they are changed: <form data-inplace> with one input[data-saved].
// Enter or leaving the field saves, Escape takes back; what the server refuses is told under the field.
import { describe } from "./requests.js";
import { morphHtml } from "./morph.js";

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-inplace] [data-saved]")) save(event.target);
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-inplace]")) return;
  event.preventDefault();
  save(event.target.querySelector("[data-saved]"));
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !event.target.matches?.("[data-inplace] [data-saved]")) return;
  event.target.value = event.target.dataset.saved;
  clear(event.target);
});

async function save(input) {
  const asked = input.value;
  if (asked === input.dataset.saved || asked === input.dataset.saving) {
    if (asked === input.dataset.saved) clear(input);
    return;
  }
  if (!input.checkValidity()) {
    complain(input, input.validationMessage);
    return;
  }
  input.dataset.saving = asked;
  const form = input.form;
  try {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { "HX-Request": "true", "HX-Current-URL": location.href, Accept: "text/html, application/json" },
      body: new URLSearchParams(new FormData(form)),
    });
    const text = await response.text();
    const elsewhere = response.headers.get("HX-Redirect");
    if (elsewhere) location.href = elsewhere;
    else if (!response.ok) complain(input, reason(text, input.name));
    else {
      input.dataset.saved = asked;
      clear(input);
      input.classList.add("inplace__input--done");
      setTimeout(() => input.classList.remove("inplace__input--done"), 1200);
      const target = form.closest("[data-refreshed]");
      if (text && target) {
        delete input.dataset.saving;
        morphHtml(target, text);
      }
    }
  } catch {
    complain(input, "The server cannot be reached: this is not saved.");
  } finally {
    delete input.dataset.saving;
  }
}

// The field's own name before the message says nothing new beside the field.
function reason(text, name) {
  try {
    const detail = JSON.parse(text).detail.replace(new RegExp(`^${name}: `), "");
    return detail.charAt(0).toUpperCase() + detail.slice(1).replace(/\.?$/, ".");
  } catch {
    return describe(text);
  }
}

function complain(input, text) {
  clear(input);
  input.setAttribute("aria-invalid", "true");
  const message = document.createElement("p");
  message.className = "field__error inplace__error";
  message.id = `${input.id}-error`;
  message.dataset.kept = "";
  message.setAttribute("role", "alert");
  message.textContent = text;
  input.setAttribute("aria-describedby", message.id);
  input.after(message);
}

function clear(input) {
  input.removeAttribute("aria-invalid");
  input.removeAttribute("aria-describedby");
  document.getElementById(`${input.id}-error`)?.remove();
}

// A select that shows its choice at once; without scripts the button beside it does.
document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-submits]")) event.target.form.requestSubmit();
});
