// Forms that work without leaving the page: <form data-live>; the page's stream shows what came of it.
import { describe } from "./requests.js";
import { toast } from "./toast.js";

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-live]") || event.defaultPrevented) return;
  event.preventDefault();
  if (form.dataset.dialog) {
    openDialog(form);
    return;
  }
  const button = event.submitter;
  if (button) button.disabled = true;
  try {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { "HX-Request": "true", "HX-Current-URL": location.href, Accept: "application/json" },
      body: new URLSearchParams(new FormData(form)),
    });
    const elsewhere = response.headers.get("HX-Redirect");
    if (elsewhere) location.href = elsewhere;
    else if (!response.ok) toast(describe(await response.text()), "bad");
    form.closest("dialog")?.close();
  } catch {
    toast("The server cannot be reached: nothing was done.", "bad");
  } finally {
    if (button) button.disabled = false;
  }
});

// A form that asks for more first: the dialog's form is sent to the same place.
function openDialog(form) {
  const dialog = document.getElementById(form.dataset.dialog);
  dialog.querySelector("form").action = form.action;
  dialog.querySelector("[data-job-name]").textContent = form.dataset.name;
  dialog.showModal();
}
