// Favourites and recently taken roles, kept in this browser alone: where to find a role again among hundreds.
const place = document.querySelector("[data-shortcuts]");
const rows = [...document.querySelectorAll("[data-role]")];
const MOST_RECENT = 5;

function kept(name) {
  try {
    const found = JSON.parse(localStorage.getItem(`${name} ${place.dataset.shortcuts}`) || "[]");
    return Array.isArray(found) ? found.filter(each => typeof each === "string") : [];
  } catch { return []; }
}

function keep(name, values) {
  try { localStorage.setItem(`${name} ${place.dataset.shortcuts}`, JSON.stringify(values.slice(0, 50))); } catch { /* Kept nowhere, then. */ }
}

function show() {
  const favourites = kept("favourites");
  for (const row of rows) {
    const star = row.querySelector("[data-star]");
    star.hidden = false;
    star.setAttribute("aria-pressed", String(favourites.includes(row.dataset.role)));
  }
  for (const [name, wanted] of [["favourites", favourites], ["recent", kept("recent").filter(each => !favourites.includes(each))]]) {
    const section = place.querySelector(`[data-list="${name}"]`);
    const list = section.querySelector("ul");
    list.replaceChildren();
    for (const role of wanted) {
      const row = rows.find(each => each.dataset.role === role);
      if (row === undefined) continue;
      const copy = row.cloneNode(true);
      copy.querySelector("[data-where]").hidden = false;
      copy.querySelector("[data-star]").addEventListener("click", () => toggle(role));
      list.append(copy);
    }
    section.hidden = list.children.length === 0;
  }
}

function toggle(role) {
  const before = kept("favourites");
  keep("favourites", before.includes(role) ? before.filter(each => each !== role) : [...before, role]);
  show();
}

if (place !== null) {
  for (const row of rows) row.querySelector("[data-star]").addEventListener("click", () => toggle(row.dataset.role));
  document.addEventListener("submit", event => {
    const role = event.target.closest("[data-role]")?.dataset.role;
    if (role) keep("recent", [role, ...kept("recent").filter(each => each !== role)].slice(0, MOST_RECENT));
  });
  show();
}
