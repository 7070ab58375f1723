"use strict";
(() => {
  const every = Number(document.body.dataset.everyS) * 1000;
  const told = document.body.dataset.ageS;
  let age = told === "" ? null : Number(told), heard = performance.now(), word = document.querySelector("#answer .word").textContent;
  const shown = new Map();

  const lost = (gone) => {
    document.body.classList.toggle("lost", gone);
    const banner = document.getElementById("lost");
    if (banner.hidden === gone) banner.hidden = !gone;
  };

  const tick = () => {
    const silent = (performance.now() - heard) / 1000;
    const now = document.querySelector("#answer .age");
    if (now && age !== null) now.textContent = Math.round(age + silent) + " s ago";
    document.getElementById("silence").textContent = Math.round((age ?? 0) + silent) + " s old";
    if (silent * 1000 > 3 * every) lost(true);
  };

  const show = (answer) => {
    for (const [id, html] of Object.entries(answer.parts)) {
      if (shown.get(id) === html) continue;
      document.getElementById(id).innerHTML = html;
      shown.set(id, html);
    }
    document.getElementById("answer").className = "answer " + answer.tone;
    document.body.classList.toggle("stale", answer.stale);
    if (word !== answer.word) {
      word = answer.word;
      document.getElementById("said").textContent = word;
      document.title = word + document.title.slice(document.title.indexOf(":"));
    }
    age = answer.age_s;
    heard = performance.now();
    lost(false);
    tick();
  };

  const refresh = async () => {
    try {
      const answer = await fetch("parts" + location.search, { cache: "no-store", signal: AbortSignal.timeout(2 * every) });
      if (!answer.ok) throw new Error(answer.status);
      show(await answer.json());
    } catch {
      lost(true);
      document.title = "UNKNOWN" + document.title.slice(document.title.indexOf(":"));
      word = "UNKNOWN";
      tick();
    }
    setTimeout(refresh, every / 2);
  };

  setInterval(tick, 1000);
  setTimeout(refresh, every / 2);
})();
