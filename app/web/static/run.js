// Follow a run: write what the server says into the page, as text, and reload once it has ended.
"use strict";
(() => {
  const table = document.getElementById("run");
  const address = table && table.dataset.events;
  if (!address) return;
  const live = document.getElementById("run-live");
  const LOOKS = ["pass", "insufficient", "fail", "none", "going"];
  let source = null;
  let failures = 0;

  const write = (element, text) => {
    if (element && element.textContent !== text) element.textContent = text;
  };
  const show = (element, status, look) => {
    if (!element) return;
    write(element, status);
    element.classList.remove(...LOOKS);
    element.classList.add(look);
  };
  const row = (step, check) => [...table.tBodies[0].rows].find(
    (one) => one.dataset.step === step && (one.dataset.check || null) === check);
  const part = (line, name) => line && line.querySelector(`[data-part="${name}"]`);

  const draw = (view) => {
    write(document.getElementById("run-title"), view.title);
    write(document.getElementById("run-duration"), view.duration);
    show(document.getElementById("run-status"), view.status, view.look);
    for (const step of view.steps) {
      const line = row(step.asset, null);
      show(part(line, "status"), step.status, step.look);
      write(part(line, "duration"), step.duration);
      write(part(line, "note"), step.note);
      for (const check of step.checks) {
        const under = row(step.asset, check.check);
        show(part(under, "status"), check.status, check.look);
        write(part(under, "sentence"), check.sentence);
      }
    }
  };
  const leave = () => { if (source) { source.close(); source = null; } };
  const follow = () => {
    if (source) return;
    source = new EventSource(address);
    source.addEventListener("state", (event) => { failures = 0; draw(JSON.parse(event.data)); });
    source.addEventListener("end", () => { leave(); window.location.reload(); });
    source.addEventListener("error", () => {
      failures += 1;
      if (source && source.readyState === EventSource.CLOSED || failures > 5) {
        leave();
        write(live, "The page follows the run no more: reload it.");
      }
    });
  };

  if (live) live.hidden = false;
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : follow()));
  window.addEventListener("pagehide", leave);
  follow();
})();
