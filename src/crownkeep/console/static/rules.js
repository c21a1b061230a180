// Rules of a password: ticked off while it is typed. Without a script they are a list.
"use strict";

const KINDS = { upper: /[A-Z]/, lower: /[a-z]/, number: /[0-9]/ };

for (const list of document.querySelectorAll("[data-rules]")) {
  const field = document.getElementById(list.dataset.rules);
  const has = (text, kind) => (kind === "symbol" ? [...text].some((each) => list.dataset.symbols.includes(each)) : KINDS[kind].test(text));
  field.addEventListener("input", () => {
    for (const rule of list.querySelectorAll("[data-of-kinds]")) {
      const kinds = rule.dataset.kinds.split(" ").filter(Boolean);
      const held = kinds.filter((kind) => has(field.value, kind)).length;
      const isKept = [...field.value].length >= Number(rule.dataset.least) && held >= Number(rule.dataset.ofKinds);
      rule.classList.toggle("kept", isKept);
      rule.dataset.state = isKept ? "kept" : "";
    }
  });
}
