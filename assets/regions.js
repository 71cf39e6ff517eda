/* What the regions of the heatmaps count for: under the pointer, in a table below each map, and how far the maps agree
   by region. The server sends it after each map (app/region_answer.py). */

(function () {
  const OUTLINE_PIXELS = 192; // at least so many across, that the outline of a coarse region is thin
  const drawn = new WeakMap(); // element → what it was given last
  let maps = {}; // method → what is known of the regions of its map
  let readout = null; // the element beside the pointer
  let marked = null; // { card, regions, region } that is outlined

  const place = (id) => document.getElementById(id);
  const part = (kind, method) => `explain-${kind}-${method}`;

  /* `found` has what is known of the maps that are chosen, `methods` the names of all. */
  window.lesionlens.showRegions = (found, methods) => {
    maps = found;
    if (marked && maps[marked.card.dataset.method] !== marked.regions) mark(null);
    for (const method of Object.keys(methods)) {
      const regions = maps[method];
      place(part("regions-note", method)).textContent = regions?.note ?? "";
      place(part("card", method)).dataset.regions = regions ? "yes" : "no";
      place(part("agreement", method)).textContent = agreement(method, methods);
      const box = place(part("regions-table", method));
      if (drawn.get(box) === regions) continue;
      drawn.set(box, regions);
      box.replaceChildren(...(regions ? [table(regions)] : []));
    }
  };

  /* Agreement: the ranks are the server's, so that their correlation is Spearman's */

  function agreement(method, methods) {
    if (!maps[method]) return "";
    const others = Object.keys(maps).filter((other) => other !== method && maps[other]);
    if (!others.length) return "";
    const said = others.map((other) => {
      const rho = correlation(maps[method].ranks, maps[other].ranks);
      return `${methods[other].name} ${rho.toFixed(2).replace("-", "−")}`;
    });
    return `Agreement by region: ${said.join(", ")} (rank correlation over ${maps[method].ranks.length} superpixels)`;
  }

  function correlation(ones, others) {
    const mean = (ones.length + 1) / 2; // of ranks, however many are tied
    let product = 0;
    let square = 0;
    let otherSquare = 0;
    ones.forEach((rank, index) => {
      product += (rank - mean) * (others[index] - mean);
      square += (rank - mean) ** 2;
      otherSquare += (others[index] - mean) ** 2;
    });
    // As analysis/rank_correlation.py has it, two constant maps agree, and one has nothing in common with another.
    if (!square || !otherSquare) return square === otherSquare ? 1 : 0;
    return product / Math.sqrt(square * otherSquare);
  }

  /* The table */

  function table(regions) {
    const table = document.createElement("table");
    table.className = "table regions-table";
    const heads = ["Region", "Where", regions.unit, "95 %"];
    const head = table.createTHead().insertRow();
    head.append(...heads.map((title) => cell("th", title, { scope: "col" })));
    const body = table.createTBody();
    regions.rows.forEach((row, index) => {
      const line = body.insertRow();
      line.dataset.region = row.region;
      line.tabIndex = index ? -1 : 0; // arrow keys lead on
      line.append(
        cell("th", row.region, { scope: "row" }),
        cell("td", row.place),
        cell("td", row.value, { className: "number" }),
        cell("td", row.plus_or_minus, { className: "number" }),
      );
    });
    return table;
  }

  function cell(type, text, properties) {
    return Object.assign(document.createElement(type), { textContent: text, ...properties });
  }

  /* Under the pointer, or on the row that has the focus */

  function labels(regions) {
    if (!regions.labels) {
      regions.labels = new Uint16Array(regions.height * regions.width);
      let start = 0;
      for (let index = 0; index < regions.runs.length; index += 2) {
        regions.labels.fill(regions.runs[index], start, start + regions.runs[index + 1]);
        start += regions.runs[index + 1];
      }
    }
    return regions.labels;
  }

  function point(event) {
    const picture = event.target.closest?.(".heat-card :is(.picture-overlay, .picture-map) .picture");
    const row = event.target.closest?.(".regions-table [data-region]");
    const card = (picture ?? row)?.closest(".heat-card");
    const regions = card && maps[card.dataset.method];
    if (!regions) {
      hide();
      mark(null);
      return;
    }
    if (row) {
      hide();
      mark(card, regions, Number(row.dataset.region));
      return;
    }
    const box = picture.getBoundingClientRect();
    const place = (offset, length, count) => Math.max(0, Math.min(count - 1, Math.floor((offset / length) * count)));
    const line = place(event.clientY - box.top, box.height, regions.height);
    const column = place(event.clientX - box.left, box.width, regions.width);
    const region = labels(regions)[line * regions.width + column];
    mark(card, regions, region);
    show(event, regions, regions.rows.find((each) => each.region === region));
  }

  function step(event) {
    const row = event.target.closest?.(".regions-table [data-region]");
    const next = row && { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  function show(event, regions, row) {
    if (!readout) {
      readout = document.createElement("div");
      readout.className = "region-readout";
      readout.setAttribute("aria-hidden", "true"); // the table says the same
    }
    if (!readout.isConnected) document.body.append(readout);
    const head = document.createElement("div");
    head.textContent = `${regions.own ? "Region" : "Mean of region"} ${row.region}, ${row.place}`;
    const value = document.createElement("strong");
    value.textContent = row.plus_or_minus === "–" ? row.value : `${row.value} ${row.plus_or_minus} (95 %)`;
    readout.replaceChildren(head, value, ` ${regions.unit}`);
    const left = Math.min(event.clientX + 14, window.innerWidth - readout.offsetWidth - 8);
    const below = event.clientY + 18;
    const fits = below + readout.offsetHeight < window.innerHeight;
    readout.style.left = `${Math.max(8, left)}px`;
    readout.style.top = `${fits ? below : event.clientY - readout.offsetHeight - 10}px`;
  }

  function hide() {
    readout?.remove();
  }

  /* The outline of a region, over the overlay and the map of its card */

  function mark(card, regions, region) {
    if (marked && marked.card === card && marked.regions === regions && marked.region === region) return;
    marked?.card.style.removeProperty("--region");
    marked = card ? { card, regions, region } : null;
    if (card) card.style.setProperty("--region", `url(${outline(regions, region)})`);
  }

  function outline(regions, region) {
    const scale = Math.ceil(OUTLINE_PIXELS / regions.width);
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [regions.width * scale, regions.height * scale];
    const known = labels(regions);
    const inside = (x, y) =>
      x >= 0 && y >= 0 && x < canvas.width && y < canvas.height &&
      known[Math.floor(y / scale) * regions.width + Math.floor(x / scale)] === region;
    const context = canvas.getContext("2d");
    context.fillStyle = "#ffffff";
    for (let y = 0; y < canvas.height; y += 1) {
      for (let x = 0; x < canvas.width; x += 1) {
        const surrounded = inside(x - 1, y) && inside(x + 1, y) && inside(x, y - 1) && inside(x, y + 1);
        if (inside(x, y) && !surrounded) context.fillRect(x, y, 1, 1);
      }
    }
    return canvas.toDataURL();
  }

  document.addEventListener("pointermove", point);
  document.addEventListener("pointerdown", point);
  document.addEventListener("focusin", point);
  document.addEventListener("keydown", step);
  document.addEventListener("scroll", hide, { capture: true, passive: true });
  document.documentElement.addEventListener("pointerleave", hide);
})();
