// The end of the session: told in time, with a button that stays signed in where the session's rules allow. Tabs share when one was used.
const notice = document.getElementById("session-end");
const USED = "crownkeep-used";
const WARNED_SECONDS = 300;
const left = notice.querySelector("[data-left]");
const why = notice.querySelector("[data-why]");
const stay = notice.querySelector("button");
const end = Date.parse(notice.dataset.ends);
const idle = Number(notice.dataset.idleSeconds) * 1000;

const used = () => localStorage.setItem(USED, String(Date.now()));
const written = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
used();

function look() {
  const idleEnd = Number(localStorage.getItem(USED) || Date.now()) + idle;
  const seconds = Math.max(0, Math.round((Math.min(end, idleEnd) - Date.now()) / 1000));
  if (seconds > WARNED_SECONDS) { notice.hidden = true; return; }
  const isLast = end <= idleEnd + 60000; // Nothing prolongs a session beyond its own end.
  stay.hidden = isLast;
  const told = isLast ? notice.dataset.last : notice.dataset.unused;
  if (why.textContent !== told || notice.hidden) why.textContent = told;
  left.textContent = seconds ? notice.dataset.endsIn.replace("{}", written(seconds)) : notice.dataset.ended;
  notice.hidden = false;
  if (!seconds) { stay.hidden = true; clearInterval(timer); }
}

stay.addEventListener("click", async () => {
  const answer = await fetch("/console/find/suggestions?q=");
  if (answer.ok && !answer.redirected) { used(); look(); } else location.reload();
});
const timer = setInterval(look, 1000);
look();
