// Makes one element like another by changing only what differs, so that focus, selection, scrolling and what
// is being typed stay as they are. Children are matched by id, else by place.
export function morph(from, to) {
  if (from.isEqualNode(to)) return;
  if (from.nodeName !== to.nodeName) {
    from.replaceWith(to);
    return;
  }
  syncAttributes(from, to);
  syncChildren(from, to);
}

// html: one element as text
export function morphHtml(from, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  morph(from, template.content.firstElementChild);
}

export function isBusy(input) {
  return input === document.activeElement || input.dataset.saving !== undefined
    || input.getAttribute("aria-invalid") === "true" || input.value !== (input.dataset.saved ?? input.value);
}

function syncAttributes(from, to) {
  const busy = from.matches?.("[data-saved]") && isBusy(from);
  for (const { name } of [...from.attributes]) {
    const own = busy && (name.startsWith("aria-") || name === "data-saving");
    if (!own && !keeps(from, name) && !to.hasAttribute(name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (busy && name === "data-saved") continue;
    if (!keeps(from, name) && from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  if (from.matches?.("[data-saved]") && !busy && from.value !== to.dataset.saved) from.value = to.dataset.saved;
  if (from instanceof HTMLProgressElement) from.value = to.value;
}

// What people opened stays open.
function keeps(element, name) {
  return name === "open" && (element instanceof HTMLDetailsElement || element instanceof HTMLDialogElement);
}

function syncChildren(from, to) {
  const byId = new Map([...from.children].filter((child) => child.id).map((child) => [child.id, child]));
  let present = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    present = skipKept(present);
    const known = wanted.id ? byId.get(wanted.id) : null;
    if (known) {
      // Moving an element takes its focus away, so it is the others that move.
      if (known !== present) {
        if (known.contains(document.activeElement)) {
          while (present && present !== known) present = removed(present);
        } else from.insertBefore(known, present);
      }
      present = known.nextSibling;
      byId.delete(wanted.id);
      morph(known, wanted);
    } else if (present && matches(present, wanted)) {
      const next = present.nextSibling;
      if (present.nodeType === Node.ELEMENT_NODE) morph(present, wanted);
      else if (present.nodeValue !== wanted.nodeValue) present.nodeValue = wanted.nodeValue;
      present = next;
    } else from.insertBefore(wanted, present);
  }
  while ((present = skipKept(present))) present = removed(present);
}

function matches(present, wanted) {
  return present.nodeType === wanted.nodeType && present.nodeName === wanted.nodeName && !present.id && !wanted.id;
}

function skipKept(node) {
  while (node && node.nodeType === Node.ELEMENT_NODE && node.dataset?.kept !== undefined) node = node.nextSibling;
  return node;
}

function removed(node) {
  const next = node.nextSibling;
  if (!(node.nodeType === Node.ELEMENT_NODE && node.dataset?.kept !== undefined)) node.remove();
  return next;
}
