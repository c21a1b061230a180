// Buttons that copy a text. They are hidden until this runs; the text beside them can be selected without it.
for (const secret of document.querySelectorAll(".secrets dd")) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "button copy no-print", textContent: "Copy", hidden: true });
  button.dataset.copy = secret.textContent;
  button.setAttribute("aria-label", `Copy: ${secret.previousElementSibling.textContent}`);
  secret.after(document.createElement("dd"));
  secret.nextSibling.append(button);
}
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break; // Browsers offer it in secure contexts only.
  const name = button.getAttribute("aria-label");
  // The name changes as well: it is what a screen reader says instead of the button's text.
  const say = (text, label) => { button.textContent = text; button.setAttribute("aria-label", label); };
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    say("Copied", "Copied");
    setTimeout(() => say("Copy", name), 2000);
  });
}
