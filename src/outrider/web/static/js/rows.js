// <button data-adds-row="#rows">: adds one more row like the last, empty.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-adds-row]");
  if (!button) return;
  const rows = document.querySelector(button.dataset.addsRow);
  const row = rows.lastElementChild.cloneNode(true);
  const number = rows.childElementCount + 1;
  for (const field of row.querySelectorAll("[id]")) {
    field.id = field.id.replace(/\d+$/, number);
    if (field instanceof HTMLSelectElement) field.selectedIndex = 0;
    else field.value = "";
  }
  for (const label of row.querySelectorAll("label")) label.htmlFor = label.htmlFor.replace(/\d+$/, number);
  rows.append(row);
  row.querySelector("input").focus();
});
