// Follows the trail while somebody looks: new events on top of the table, from the server's stream (/events), until they stop.
// Nothing is asked for again by itself: an open page must not keep a session in use that nobody uses.
const table = document.querySelector("table[data-tail]");
const button = document.getElementById("tail");
const told = document.getElementById("tail-said");
const words = told.dataset;
const MOST = 200;
const SAID_EVERY = 4000;
const ADDRESS = 4;
const heads = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
const clock = new Intl.DateTimeFormat("sv-SE", {timeStyle: "medium"});
let stream = null;
let waiting = [];
let unsaid = 0;
let timer = 0;

// Not by a text as the second argument: of a name that holds "$&", `replace` would make something else.
const filled = (text, value) => text.replace("{}", () => value);
const isRead = (record) => String(record.readOnly).toLowerCase() === "true";
const outcome = (record) => record.errorCode || record.errorMessage || "";

function who(identity) {
  const context = identity.sessionContext || {};
  if (identity.type === "Root") return String(context.assumedRoot) === "true" ? words.centralRoot : words.root;
  const name = identity.userName || identity.arn || identity.invokedBy || words.unknown;
  return identity.type === "IAMUser" ? filled(words.user, name) : name;
}

function usedMfa(record) {
  const session = record.userIdentity?.sessionContext?.attributes || {};
  return String(session.mfaAuthenticated).toLowerCase() === "true" || record.additionalEventData?.MFAUsed === "Yes";
}

function pageOf(record) {
  const page = document.createElement("div");
  page.className = "small secondary";
  page.textContent = filled(words.page, record.additionalEventData.consolePage);
  return page;
}

function named(record) {
  const link = document.createElement("a");
  link.href = `/console/trail/event?id=${encodeURIComponent(record.eventID)}`;
  link.textContent = record.eventName;
  return link;
}

function when(record) {
  const time = document.createElement("time");
  time.dateTime = record.eventTime;
  time.title = record.eventTime.replace("T", " ").replace("Z", " UTC");
  time.textContent = clock.format(new Date(record.eventTime));
  return time;
}

function result(record) {
  const failed = outcome(record);
  if (!failed) return words.done;
  const said = document.createElement("span");
  said.className = "status-error";
  said.textContent = failed;
  return said;
}

// Only ever texts and elements of our own: what a record holds is never read as markup.
function row(record) {
  const made = document.createElement("tr");
  made.className = "arrived";
  made.setAttribute("role", "row");
  if (outcome(record)) made.dataset.outcome = "failed";
  const parts = [named(record), when(record), who(record.userIdentity || {}), result(record), record.sourceIPAddress || "", record.awsRegion || "", usedMfa(record) ? words.yes : words.no];
  parts.forEach((part, place) => {
    const cell = document.createElement(place ? "td" : "th");
    if (!place) cell.scope = "row";
    cell.setAttribute("role", place ? "cell" : "rowheader");
    if (place === ADDRESS) cell.className = "code";
    cell.dataset.label = heads[place];
    cell.append(part);
    if (!place && record.additionalEventData?.consolePage) cell.append(pageOf(record));
    made.append(cell);
  });
  return made;
}

// Nothing moves under a pointer or away from the keyboard's place: what comes meanwhile waits.
const isInUse = () => table.matches(":hover") || table.contains(document.activeElement);

function show() {
  if (isInUse()) return;
  const body = table.tBodies[0];
  for (const record of waiting) body.prepend(row(record));
  waiting = [];
  [...body.querySelectorAll("tr.arrived")].slice(MOST).forEach((old) => old.remove());
}

function say() {
  if (!unsaid) return;
  told.textContent = filled(waiting.length ? words.waiting : words.new, unsaid);
  unsaid = 0;
}

function heard(message) {
  const record = JSON.parse(message.data);
  if (isRead(record) && !table.dataset.reads) return;
  if (!outcome(record) && table.dataset.failed) return;
  waiting = [...waiting, record].slice(-MOST);
  unsaid += 1;
  show();
}

function stop(why) {
  stream?.close();
  stream = null;
  clearInterval(timer);
  button.textContent = words.follow;
  told.textContent = why;
}

function follow() {
  stream = new EventSource("/events");
  stream.addEventListener("open", () => { told.textContent = words.following; });
  stream.addEventListener("message", heard);
  stream.addEventListener("end", () => stop(words.ended));
  stream.addEventListener("error", () => { if (stream) stop(words.broken); });
  timer = setInterval(say, SAID_EVERY);
  button.textContent = words.stop;
}

button.hidden = false;
button.addEventListener("click", () => { if (stream) stop(words.stopped); else follow(); });
table.addEventListener("mouseleave", show);
table.addEventListener("focusout", () => setTimeout(show));
window.addEventListener("pagehide", () => stream?.close());
