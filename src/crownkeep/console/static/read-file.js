// Reads a chosen file into the field that it belongs to, so that it is sent like any typed text. Pasting works without.
"use strict";

for (const chooser of document.querySelectorAll("[data-read-into]")) {
  chooser.hidden = false;
  chooser.querySelector("input").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) document.getElementById(chooser.dataset.readInto).value = await file.text();
  });
}
