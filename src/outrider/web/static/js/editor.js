// The strategy editor: line numbers beside the text, and problems that lead to their place in it.
const source = document.getElementById("source");
const lines = document.querySelector(".editor__lines");

function number() {
  const count = source.value.split("\n").length;
  if (lines.childElementCount === count) return;
  lines.textContent = Array.from({ length: count }, (_, index) => index + 1).join("\n");
}

source.addEventListener("input", number);
source.addEventListener("scroll", () => { lines.scrollTop = source.scrollTop; });
number();

document.addEventListener("click", (event) => {
  const place = event.target.closest("[data-place]");
  if (place) lead(place.dataset.place);
});

// "line 3", or a path such as actions[1].retry.busy.delays[0]: the nth [[actions]], then the key below it.
function lead(place) {
  const text = source.value.split("\n");
  const line = /^line (\d+)/.exec(place);
  let found = line ? Number(line[1]) - 1 : 0;
  if (!line) {
    const action = /^actions\[(\d+)\]/.exec(place);
    if (action) {
      const starts = text.flatMap((each, index) => (/^\s*\[\[\s*actions\s*\]\]/.test(each) ? [index] : []));
      found = starts[Number(action[1])] ?? 0;
    }
    for (const key of place.replace(/^actions\[\d+\]\.?/, "").replace(/\[\d+\]/g, "").split(".").filter(Boolean)) {
      const below = text.findIndex((each, index) => index >= found && new RegExp(`(^|[\\s.\\[{,])"?${key.replace(/\W/g, "\\$&")}"?\\s*[=\\]]`).test(each));
      if (below >= 0) found = below;
    }
  }
  const start = text.slice(0, found).reduce((sum, each) => sum + each.length + 1, 0);
  source.focus();
  source.setSelectionRange(start, start + (text[found]?.length ?? 0));
  source.scrollTop = Math.max(0, (found - 6) * (source.scrollHeight / text.length));
}
