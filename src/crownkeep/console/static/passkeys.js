// Passkeys: asks the browser for what a form's data-options say, and sends its answer with the form. Until this script is here,
// the form's button is disabled: without it, the form would be sent without an answer.
"use strict";

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", async (event) => {
    const field = form.elements.namedItem("credential");
    if (field.value) return;
    event.preventDefault();
    const status = form.querySelector("[data-passkey-status]");
    const button = form.querySelector("button[type=submit]");
    status.textContent = status.dataset.follow;
    button.disabled = true;
    try {
      const options = JSON.parse(form.dataset.options);
      const credential = form.dataset.passkey === "create"
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
      field.value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch (error) {
      status.textContent = error instanceof DOMException && error.name === "InvalidStateError"
        ? status.dataset.registered
        : status.dataset.failed;
      button.disabled = false;
    }
  });
  form.querySelector("button[type=submit]").disabled = false;
}
