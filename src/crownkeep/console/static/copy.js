// Buttons that copy a text. They are hidden until this runs; the text beside them can be selected without it.
for (const secret of document.querySelectorAll(".secrets dd")) {
  const button = document.createElement("button");
  const said = secret.closest(".secrets").dataset;
  Object.assign(button, { type: "button", className: "button copy no-print", textContent: said.copyButton, hidden: true });
  Object.assign(button.dataset, { copy: secret.textContent, copied: said.copied });
  button.setAttribute("aria-label", said.copyNamed.replace("{}", () => secret.previousElementSibling.textContent));
  secret.after(document.createElement("dd"));
  secret.nextSibling.append(button);
}
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break; // Browsers offer it in secure contexts only.
  const name = button.getAttribute("aria-label");
  const label = button.textContent;
  // The name changes as well: it is what a screen reader says instead of the button's text.
  const say = (text, named) => { button.textContent = text; button.setAttribute("aria-label", named); };
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    say(button.dataset.copied, button.dataset.copied);
    setTimeout(() => say(label, name), 2000);
  });
}
