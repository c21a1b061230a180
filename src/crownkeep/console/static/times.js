// Writes times in the viewer's zone, with UTC beside the pointer: those of tables, those that stand in sentences, and days to filter by.
const written = new Intl.DateTimeFormat("sv-SE", {dateStyle: "short", timeStyle: "short"});
const SAID = /\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)? UTC/;
const UNTOUCHED = "time, code, pre, textarea, script, style, svg, .code";

const read = (said) => new Date(said.replace(" UTC", "Z").replace(" ", "T"));

function put(text) {
  for (let found = SAID.exec(text.data); found; found = SAID.exec(text.data)) {
    const said = text.splitText(found.index);
    text = said.splitText(found[0].length);
    // What anybody has written may look like a moment that there never was.
    if (isNaN(read(found[0]))) continue;
    const time = document.createElement("time");
    Object.assign(time, {className: "nowrap", dateTime: read(found[0]).toISOString(), title: found[0], textContent: found[0]});
    said.replaceWith(time);
  }
}

const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const texts = [];
while (walker.nextNode()) {
  const text = walker.currentNode;
  if (SAID.test(text.data) && !text.parentElement.closest(UNTOUCHED)) texts.push(text);
}
texts.forEach(put);

for (const time of document.querySelectorAll("time[title]")) {
  const local = written.format(new Date(time.dateTime));
  if (time.textContent.endsWith("UTC")) time.textContent = local; else time.title = `${local} (${time.title})`;
}
for (const aged of document.querySelectorAll("[title$=' UTC']:not(time)")) {
  if (!isNaN(read(aged.title))) aged.title = `${written.format(read(aged.title))} (${aged.title})`;
}

// A day is the viewer's own: the form is sent with the moments at which it begins and ends.
const two = (number) => String(number).padStart(2, "0");
const dayOf = (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
for (const day of document.querySelectorAll("input[type=date][data-edge]")) {
  const label = day.labels[0];
  label.textContent = label.textContent.replace(" (UTC)", "");
  if (day.dataset.moment) {
    const at = new Date(day.dataset.moment);
    day.value = dayOf(at);
    day.title = day.dataset.moment.replace("T", " ").replace("Z", " UTC");
  }
  day.form.addEventListener("formdata", ({formData}) => {
    if (!day.value) return;
    const [year, month, date] = day.value.split("-").map(Number);
    const at = day.dataset.edge === "end" ? new Date(new Date(year, month - 1, date + 1) - 1000) : new Date(year, month - 1, date);
    formData.set(day.name, at.toISOString().replace(".000Z", "Z"));
  });
}
