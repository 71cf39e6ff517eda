/* The trust panels of the Explain page. Once a map is complete the server is asked what it is worth; its answers are
   remembered by question, so that paging back to an image costs nothing. */

(function () {
  const known = new Map(); // question and method → what the server has found
  const asked = {}; // method → { id, key }
  const shown = {}; // method → question
  const drawn = new WeakMap(); // panel → the verdicts that it was given last
  const ICONS = { true: "circle-check", false: "alert-triangle", null: "circle-dashed" };
  let count = 0;
  let open = null; // the figures of the dialog, by what they are seen on

  const place = (id) => document.getElementById(id);
  const setProps = (id, properties) => window.dash_clientside.set_props(id, properties);
  const element = (type, props) => ({ namespace: "dash_html_components", type, props });
  const part = (kind, method) => `explain-trust-${kind}-${method}`;

  function chip(verdict, text) {
    const kind = { true: "good", false: "bad", null: "unknown" }[verdict.good];
    const picture = element("Span", {
      className: "icon",
      style: { "--icon": `url(/assets/icons/${ICONS[verdict.good]}.svg)`, width: 14, height: 14 },
      "aria-hidden": "true",
    });
    return element("Li", {
      className: `trust-chip trust-${kind}`,
      title: verdict.detail,
      children: [
        picture,
        element("Span", { children: text }),
        element("Span", { className: "trust-number", children: verdict.number }),
      ],
    });
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
    setProps(part("chips", method), { children: (chips ?? []).map((verdict) => chip(verdict, said(verdict, state))) });
  }

  function said(verdict, state) {
    return verdict.question === "stability" && state === "measuring" ? "measuring stability" : verdict.text;
  }

  function note(state, found) {
    if (state === "waiting") return "Will be measured when no map is waiting";
    if (state === "failed") return `Could not be measured. ${found.message}`;
    return found?.note ?? "";
  }

  /* `question` is { key, tab, source, npz, sample, case }; without `npz` there is no complete map to judge. */
  window.lesionlens.judge = (method, question) => {
    shown[method] = question.npz ? question.key : null;
    paint(method);
    if (!question.npz || known.has(question.key) || asked[method]?.key === question.key) return;
    count += 1;
    asked[method] = { id: `${question.key}#trust${count}`, key: question.key };
    setProps(`explain-trust-request-${method}`, { data: { ...question, id: asked[method].id } });
  };

  /* Nobody looks at the method's map any more; what the server has not found out by now it need not. */
  window.lesionlens.stopJudging = (method, tab) => {
    shown[method] = null;
    if (!asked[method]) return;
    const { id, key } = asked[method];
    delete asked[method]; // so that it is asked again if the method is chosen again
    if (known.get(key)?.state === "done") return;
    known.delete(key);
    setProps(`explain-trust-stop-${method}`, { data: { tab, id } });
  };

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.trust = {
    found(data, method) {
      if (!data) return;
      const key = data.id.split("#trust")[0];
      const again = asked[method]?.key === key && asked[method].id !== data.id; // it is being asked once more
      if (data.state !== "stopped") known.set(key, data);
      else if (known.get(key)?.state !== "done" && !again) {
        known.delete(key); // it is asked again when the image is looked at again
        if (asked[method]?.id === data.id) delete asked[method];
      }
      if (shown[method] === key) paint(method);
    },

    curves(clicks, method) {
      const found = known.get(shown[method]);
      if (!clicks || !found?.figures) return;
      const verdicts = found.chips.map((verdict) =>
        element("Li", { children: [element("Ul", { className: "trust-chips", children: chip(verdict, verdict.text) }), element("Span", { children: verdict.detail })] }),
      );
      setProps("explain-curves-verdicts", { children: verdicts });
      open = found.figures;
      setProps("explain-curves-baselines", { value: "deciding" });
      setProps("explain-curves-graph", { figure: open.deciding });
      setProps("explain-curves", { opened: true, title: found.title });
    },

    baselines(chosen) {
      if (open) setProps("explain-curves-graph", { figure: open[chosen] });
    },
  };
})();
