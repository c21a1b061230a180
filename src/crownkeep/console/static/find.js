// The search box: suggestions while somebody types, chosen by arrows and Enter; `/` or Ctrl-K goes there. Without a script it is a form.
const box = document.getElementById("find");
const list = document.getElementById("found");
const told = document.getElementById("found-count");
const SLASH = "crownkeep-slash";
let active = -1;
let timer = 0;
let asked = 0;

const options = () => [...list.querySelectorAll("[role=option]")];

function close() {
  list.hidden = true;
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
  active = -1;
}

function mark(place) {
  const all = options();
  if (!all.length) return;
  active = (place + all.length) % all.length;
  all.forEach((each, number) => each.setAttribute("aria-selected", String(number === active)));
  box.setAttribute("aria-activedescendant", all[active].id);
  all[active].scrollIntoView({block: "nearest"});
}

async function suggest() {
  const text = box.value.trim();
  const number = ++asked;
  if (text.length < 2) { told.textContent = ""; return close(); }
  const answer = await fetch(`/console/find/suggestions?q=${encodeURIComponent(text)}`, {headers: {accept: "text/html"}});
  if (!answer.ok || answer.redirected || number !== asked) return;
  const page = new DOMParser().parseFromString(`<ul>${await answer.text()}</ul>`, "text/html");
  if (number !== asked) return;
  list.replaceChildren(...page.querySelectorAll("[role=option]"));
  active = -1;
  const count = options().length;
  told.textContent = page.querySelector("[data-said]").dataset.said;
  list.hidden = !count;
  box.setAttribute("aria-expanded", String(count > 0));
  box.removeAttribute("aria-activedescendant");
}

box.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(suggest, 250); });
box.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    if (list.hidden) box.value = "";
    close();
    event.preventDefault();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (!options().length) return;
    event.preventDefault();
    list.hidden = false;
    box.setAttribute("aria-expanded", "true");
    mark(event.key === "ArrowDown" ? active + 1 : active < 0 ? -1 : active - 1);
  } else if (event.key === "Enter" && active >= 0 && !list.hidden) {
    event.preventDefault();
    options()[active].querySelector("a").click();
  } else if (event.key === "Tab") {
    close();
  }
});
list.addEventListener("mousedown", (event) => event.preventDefault()); // The box keeps the focus, so that the click still arrives.
box.addEventListener("blur", close);

const slash = document.querySelector("[data-slash]");
if (slash) {
  const choice = slash.querySelector("input");
  slash.hidden = false;
  choice.checked = localStorage.getItem(SLASH) !== "off";
  choice.addEventListener("change", () => localStorage.setItem(SLASH, choice.checked ? "on" : "off"));
}
document.addEventListener("keydown", (event) => {
  const isTyping = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");
  const isSlash = event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey && localStorage.getItem(SLASH) !== "off";
  const isControl = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
  if (!isSlash && !isControl) return;
  event.preventDefault();
  box.focus();
  box.select();
});
