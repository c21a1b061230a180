// Writes times in the viewer's zone, with UTC beside the pointer.
const written = new Intl.DateTimeFormat("sv-SE", {dateStyle: "short", timeStyle: "short"});
for (const time of document.querySelectorAll("time[title]")) {
  const local = written.format(new Date(time.dateTime));
  if (time.textContent.endsWith("UTC")) time.textContent = local; else time.title = `${local} (${time.title})`;
}
