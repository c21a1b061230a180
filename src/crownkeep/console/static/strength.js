// Strength: asks the server how strong the password is that is being typed, and shows its answer. Forms work without it.
"use strict";

for (const form of document.querySelectorAll("form[data-strength]")) {
  const field = form.elements.namedItem("new");
  const meter = form.querySelector("[data-strength-meter]");
  let timer = 0;
  let asked = 0;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const number = ++asked;
      const body = new URLSearchParams({ csrf: form.elements.namedItem("csrf").value, new: field.value });
      const token = form.elements.namedItem("token");
      if (token) body.set("token", token.value);
      const answer = await fetch(form.dataset.strength, { method: "POST", body });
      if (!answer.ok || number !== asked) return;
      const found = await answer.json();
      meter.hidden = !field.value;
      const shown = meter.querySelector(".meter").dataset;
      shown.score = found.score;
      meter.querySelector("p").textContent = [shown[`word-${found.score}`], found.warning, ...found.suggestions].filter(Boolean).join(". ");
    }, 350);
  });
}
