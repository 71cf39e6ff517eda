/* What the case and pair pages do in the browser. */

window.dash_clientside = window.dash_clientside || {};

window.dash_clientside.cases = {
  /** Keep the grid's selection in the address. */
  noteQuery(query) {
    window.lesionlens.replaceQuery(query);
  },

  /** Keep the grid's order in the address. */
  noteSort(columns) {
    const sorted = (columns || []).find((column) => column.sort);
    window.lesionlens.replaceQuery({ sort: sorted ? `${sorted.colId}:${sorted.sort}` : null });
  },

  /** Set the opacity of every heatmap on the page. */
  fade(percent) {
    document.documentElement.style.setProperty("--heatmap-opacity", percent / 100);
  },
};

(() => {
  const CELLS = ["found", "missed", "alarms", "cleared"];
  const RATES = ["sensitivity", "specificity", "precision"];
  const count = (value) => value.toLocaleString("en-US");
  const percent = (share) => (share === null ? "–" : `${(100 * share).toFixed(1)} %`);
  const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
  const interval = ([, low, high]) =>
    low === null ? "–" : `95 % ${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)} %`;

  function nearest(thresholds, margin) {
    const step = thresholds[1] - thresholds[0];
    const index = Math.round((margin - thresholds[0]) / step);
    return Math.min(Math.max(index, 0), thresholds.length - 1);
  }

  function moveFigures(threshold, sensitivity, specificity) {
    const margins = document.querySelector("#pair-margins .js-plotly-plot");
    const roc = document.querySelector("#pair-roc .js-plotly-plot");
    if (margins?.layout) window.Plotly.relayout(margins, { "shapes[0].x0": threshold, "shapes[0].x1": threshold });
    if (roc?.data) window.Plotly.restyle(roc, { x: [[1 - specificity]], y: [[sensitivity]] }, [roc.data.length - 1]);
  }

  function showErrors(threshold) {
    for (const gallery of document.querySelectorAll(".error-gallery")) {
      let shown = 0;
      for (const card of gallery.querySelectorAll(".error-card")) {
        const margin = Number(card.dataset.margin);
        const wrong = card.dataset.kind === "missed" ? margin < threshold : margin >= threshold;
        card.classList.toggle("hidden", !wrong);
        shown += wrong;
      }
      gallery.querySelector(".no-error").hidden = shown > 0;
    }
  }

  window.dash_clientside.pair = {
    /** Show the pair at another margin: cells, rates, their links, both figures, the errors and the address. */
    move(margin, points) {
      const index = nearest(points.threshold, margin);
      const at = (name) => points[name][index];
      const threshold = at("threshold");
      const positives = at("found") + at("missed");
      const negatives = at("alarms") + at("cleared");
      const total = { found: positives, missed: positives, alarms: negatives, cleared: negatives };
      moveFigures(threshold, at("sensitivity")[0], at("specificity")[0]);
      showErrors(threshold);
      if (window.dash_clientside.callback_context.triggered_id === "pair-margin") {
        window.lesionlens.replaceQuery({ margin: threshold.toFixed(4) });
      }
      return [
        ...CELLS.map((name) => count(at(name))),
        ...CELLS.map((name) => percent(at(name) / total[name])),
        ...CELLS.map((name) => points.links[name].replace("THRESHOLD", String(threshold))),
        ...RATES.map((name) => percent(at(name)[0])),
        ...RATES.map((name) => interval(at(name))),
        signed(threshold),
        points.answer
          .replace("THRESHOLD", signed(threshold))
          .replace("FOUND", count(at("found")))
          .replace("ALARMS", count(at("alarms"))),
      ];
    },
  };
})();
