// <button data-opens="id"> opens a <dialog>; data-closes closes it; forms with data-confirm ask first.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();
  const closer = event.target.closest("[data-closes]");
  if (closer) closer.closest("dialog").close();
  if (event.target instanceof HTMLDialogElement) event.target.close();
});

document.addEventListener("submit", async (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (!question || event.target.dataset.confirmed) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!(await ask(question, event.submitter))) return;
  event.target.dataset.confirmed = "yes";
  event.target.requestSubmit(event.submitter);
  delete event.target.dataset.confirmed;
}, true);

document.addEventListener("htmx:confirm", async (event) => {
  if (!event.detail.question) return;
  event.preventDefault();
  if (await ask(event.detail.question, event.detail.elt)) event.detail.issueRequest(true);
});

function ask(question, submitter) {
  const dialog = document.getElementById("confirm");
  const confirm = dialog.querySelector("[value=yes]");
  dialog.querySelector("p").textContent = question;
  confirm.textContent = submitter?.textContent.trim() || "Continue";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
