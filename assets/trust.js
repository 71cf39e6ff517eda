/* The trust panels of the Explain page. Once a map is complete the server is asked what it is worth; its answers are
   remembered by question, so that paging back to an image costs nothing. */

(function () {
  const known = new Map(); // question and method → what the server has found
  const asked = {}; // method → { id, key }
  const shown = {}; // method → question
  const drawn = new WeakMap(); // panel → the verdicts that it was given last
  const ICONS = { true: "circle-check", false: "alert-triangle", null: "circle-dashed" };
  const UNDERWAY = ["begun", "measuring"];
  let count = 0;
  let open = null; // the figures of the dialog, by what they are seen on

  const place = (id) => document.getElementById(id);
  const { connection } = window.lesionlens;
  const setProps = (id, properties) => window.dash_clientside.set_props(id, properties);
  const part = (kind, method) => `explain-trust-${kind}-${method}`;

  function chip(verdict, text) {
    const item = document.createElement("li");
    item.className = `trust-chip trust-${{ true: "good", false: "bad", null: "unknown" }[verdict.good]}`;
    item.title = verdict.detail;
    item.append(window.lesionlens.icon(ICONS[verdict.good]), span(text), span(verdict.number, "trust-number"));
    return item;
  }

  function span(text, className = "") {
    return Object.assign(document.createElement("span"), { textContent: text, className });
  }

  function paint(method) {
    const panel = place(part("panel", method));
    if (!panel) return;
    const found = known.get(shown[method]);
    const state = found?.state ?? (shown[method] ? "waiting" : "none");
    panel.dataset.trust = state;
    place(part("note", method)).textContent = note(state, found);
    place(part("curves", method)).disabled = !found?.figures;
    const chips = found?.chips;
    if (drawn.get(panel) === chips) return;
    drawn.set(panel, chips);
    place(part("chips", method)).replaceChildren(...(chips ?? []).map((verdict) => chip(verdict, said(verdict, found))));
  }

  function said(verdict, { state, done, total }) {
    const measuring = verdict.question === "stability" && state === "measuring";
    return measuring ? `measuring stability, ${done} of ${total}` : verdict.text;
  }

  function note(state, found) {
    if (state === "waiting") return "Will be measured when no map is waiting";
    if (state === "begun") return "Measuring";
    if (state === "lost") return "Not measured: the connection to the server was lost";
    if (state === "failed") return `Could not be measured. ${found.message}`;
    return found?.note ?? "";
  }

  /* `question` is { key, input, npz, sample, case }; without `npz` there is no complete map to judge. */
  window.lesionlens.judge = (method, { key, ...question }) => {
    shown[method] = question.npz ? key : null;
    if (known.get(key)?.state === "lost") known.delete(key);
    paint(method);
    if (!question.npz || known.has(key) || asked[method]?.key === key) return;
    count += 1;
    asked[method] = { id: `${key}#trust${count}`, key };
    connection.send({ ask: "trust", method, id: asked[method].id, ...question });
  };

  window.lesionlens.forgetVerdicts = (method) => {
    known.delete(shown[method]);
    delete asked[method];
  };

  /* Nobody looks at the method's map any more; what the server has not found out by now it need not. */
  window.lesionlens.stopJudging = (method) => {
    shown[method] = null;
    if (!asked[method]) return;
    const { key } = asked[method];
    delete asked[method]; // so that it is asked again if the method is chosen again
    if (known.get(key)?.state === "done") return;
    known.delete(key);
    connection.send({ ask: "stop", about: "trust", method });
  };

  connection.hear("trust", (data, method) => {
    const key = data.id.split("#trust")[0];
    if (UNDERWAY.includes(data.state) && asked[method]?.id !== data.id) return; // nobody waits for it any more
    const again = asked[method]?.key === key && asked[method].id !== data.id; // it is being asked once more
    if (data.state !== "stopped") known.set(key, data);
    else if (known.get(key)?.state !== "done" && !again) {
      known.delete(key); // it is asked again when the image is looked at again
      if (asked[method]?.id === data.id) delete asked[method];
    }
    if (shown[method] === key) paint(method);
  });

  /* What was not found out by then is asked again when the image is looked at again. */
  connection.lost(() => {
    for (const [key, found] of known) if (UNDERWAY.includes(found.state)) known.set(key, { state: "lost" });
    for (const [method, { key }] of Object.entries(asked)) {
      delete asked[method];
      if (known.get(key)?.state !== "done") known.set(key, { state: "lost" });
      paint(method);
    }
  });

  window.lesionlens.showCurves = (method) => {
    const found = known.get(shown[method]);
    if (!found?.figures) return;
    open = found.figures;
    setProps("explain-curves-baselines", { value: "deciding" });
    setProps("explain-curves-graph", { figure: open.deciding });
    setProps("explain-curves", { opened: true, title: found.title });
    whenThere("explain-curves-verdicts", (list) => list.replaceChildren(...found.chips.map(verdict)));
  };

  /* The dialog's content is there only while it is open. */
  function whenThere(id, act) {
    if (place(id)) act(place(id));
    else if (place("explain-root")) requestAnimationFrame(() => whenThere(id, act));
  }

  function verdict(found) {
    const [item, chips] = [document.createElement("li"), document.createElement("ul")];
    chips.className = "trust-chips";
    chips.append(chip(found, found.text));
    item.append(chips, span(found.detail));
    return item;
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.trust = {
    baselines(chosen) {
      if (open) setProps("explain-curves-graph", { figure: open[chosen] });
    },
  };
})();
