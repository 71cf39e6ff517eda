/* The Explain page in the browser. Images live here, in the tab's memory: each is sent to the server to be opened, and
   what the network sees of it again with each question; the server keeps none. Explanations that were finished are
   remembered, so that paging back to an image costs nothing.

   What Dash only lays out, and no callback reads, is written to its element directly: at each update of its own Dash
   asks every component of the page whether it is concerned, which a slow browser feels. A new page has new elements. */

(function () {
  const DEFAULT_METHODS = "gradcam,shap,lime"; // as in app/method_choice.py
  const LAYERED = "layercam";
  const MAX_BYTES = 20e6;
  const REMEMBERED = 500; // maps of a quarter of a megabyte
  const QUEUED = ["waiting", "loading"];
  const ENDED = ["done", "stopped", "failed"];
  const ASKING = "Asking the model";
  const SAID = ["explain-folds-said", "explain-novelty", "explain-probabilities", "explain-patient-result"];
  const LOST = "The connection to the server was lost. Check that the server is running, then run again.";
  const OCTETS = { "Content-Type": "application/octet-stream" };
  const images = [];
  const finished = new Map(); // question and method → result
  const model = { tta: false, ensemble: false }; // who predicts, and how
  const now = {}; // method → { id, key, image, progress, result }
  let methods = {}; // method → { name, sentence }, of all that there are
  let names = {}; // class → name
  let layers = []; // of LAYERED, from fine to coarse
  let chosen = []; // the methods that are shown
  let view = "all"; // or the method that has the page to itself
  let layer = null; // of LAYERED, null for the last one
  let position = 0;
  let onScreen; // the image that was shown last: the chosen one may have to be asked about first
  const wanted = { target: null, against: null }; // null is the called class, and no contrast
  let target = null;
  let against = null;
  let asked = 0;
  let opacity = 0.75;

  const { connection } = window.lesionlens;
  const setProps = (id, properties) => window.dash_clientside.set_props(id, properties);
  const place = (id) => document.getElementById(id);
  const onPage = () => document.querySelector(".heat-body")?.hasChildNodes() ?? false; // and its cards are filled
  const current = () => images[position];
  const api = (route) => `${window.lesionlens.root}/api/${route}`;

  /* Opening images */

  async function openFile(name, dataUrl) {
    if (dataUrl.length * 0.75 > MAX_BYTES + 200) {
      return { name, error: "The file is larger than 20 MB. Scale the image down." };
    }
    return { ...(await openBytes(name, decoded(dataUrl))), name };
  }

  /* Fetching the address would go through the browser's network process. */
  function decoded(dataUrl) {
    const text = atob(dataUrl.slice(dataUrl.indexOf(",") + 1));
    const bytes = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
    return bytes;
  }

  async function openBytes(name, body) {
    return post("images", name, body);
  }

  async function post(route, name, body) {
    const asked = modelQuery();
    const answer = await fetch(api(`${route}?name=${encodeURIComponent(name)}&${asked}`), {
      method: "POST",
      headers: OCTETS,
      body,
    });
    const found = await answer.json();
    return answer.ok ? { ...found, asked } : { error: found.error ?? found.detail, asked };
  }

  function modelQuery() {
    return Object.keys(model).filter((option) => model[option]).map((option) => `${option}=1`).join("&");
  }

  async function openCase(name) {
    const answer = await fetch(api(`cases/${encodeURIComponent(name)}/image`));
    if (!answer.ok) return { name, error: (await answer.json()).detail };
    return { ...(await openBytes(name, await answer.blob())), name, case: name };
  }

  async function openSample(name) {
    const asked = modelQuery();
    const answer = await fetch(api(`samples/${encodeURIComponent(name)}?${asked}`));
    const image = await answer.json();
    return answer.ok ? { ...image, name: image.image, asked } : { name, error: image.detail };
  }

  async function opened(promise, name) {
    try {
      return await promise;
    } catch (error) {
      return { name, error: "The server did not answer. Check that it is running, then try again." };
    }
  }

  function add(image) {
    images.push({ ...image, number: images.length });
    return images.length - 1;
  }

  async function select(index) {
    position = Math.max(0, Math.min(images.length - 1, index));
    if (!onPage()) return; // `arrive` shows it when the user comes back
    const image = current();
    if (!image.error && image.asked !== modelQuery()) {
      opening(ASKING);
      const question = modelQuery();
      const answer = await opened(post("predict", image.name, decoded(image.input)), image.name);
      if (question !== modelQuery()) return; // the user has asked otherwise meanwhile
      if (answer.error) {
        if (image !== current()) return;
        // What is on screen is still the answer to the last question.
        for (const option of Object.keys(model)) setProps(`explain-${option}`, { checked: image.asked.includes(option) });
        return opening(answer.error);
      }
      Object.assign(image, answer);
      opening("");
      if (!onPage() || image !== current()) return;
    } else if (place("explain-opening").textContent === ASKING) {
      opening(""); // of what is not wanted any more
    }
    show(image);
    explain(image);
    const { source, input, ...facts } = image;
    setProps("explain-current", { data: { ...facts, position } }); // for what Python says of the probabilities
  }

  /* Whether the folds agree is asked about every image, once it has a map: neither that nor its probabilities wait. */
  async function askFolds(image) {
    if (!place("explain-folds-said")) return; // there are no others
    showSaid();
    if (image.error || (chosen.length && !chosen.some((method) => isDrawn(image, method)))) return;
    // Of the ensemble it is said already, and a case of the data set is one that the other folds have learnt.
    if (image.disagreement || image.case) return;
    const { asked } = image;
    if (image.folds?.asked !== asked) {
      image.folds = { asked, disagreement: null };
      const route = `predict?name=${encodeURIComponent(image.name)}&ensemble=1&${asked}`;
      try {
        const answer = await fetch(api(route), { method: "POST", headers: OCTETS, body: decoded(image.input) });
        if (answer.ok) image.folds = { asked, disagreement: (await answer.json()).disagreement };
      } catch (error) {
        image.folds = null; // so that they are asked again
        throw error;
      }
    }
    if (image === current() && image.asked === asked && onPage()) tellFolds(image);
  }

  function isDrawn(image, method) {
    const { key, result, progress } = now[method] ?? {};
    return key?.startsWith(`${image.number}|`) && (result || ENDED.includes(progress.state));
  }

  function tellFolds(image) {
    const { predicted, folds: { disagreement } } = image;
    const said = place("explain-folds-said");
    const about = aboutOf(image);
    if (!disagreement || said.dataset.asked === about) return;
    said.dataset.asked = about;
    setProps("explain-folds", { data: { about, predicted, disagreement } });
  }

  /* What is said of an image that is not looked at any more is hidden, until the next one's takes its place. */
  function showSaid() {
    for (const said of SAID.map(place)) {
      const about = said?.querySelector("[data-about]")?.dataset.about;
      if (said) said.dataset.stale = about && about !== aboutOf(onScreen) ? "yes" : "no";
    }
  }

  /* As in app/explain_parts.py. */
  function aboutOf({ number, asked } = {}) {
    return `${number}|${asked}`;
  }

  function opening(text) {
    if (!onPage()) return;
    place("explain-opening").textContent = text;
    if (text && !images.length) place("explain-root").dataset.state = "opening";
  }

  /* Asking for explanations */

  /* All methods that are chosen, as the controls have it. */
  function explain(image) {
    const list = chosen.join(",");
    window.lesionlens.replaceQuery({
      target: wanted.target,
      against: wanted.against,
      methods: list === DEFAULT_METHODS ? null : list,
      layer: chosen.includes(LAYERED) ? layer : null,
      view: view === "all" ? null : view,
    });
    arrange();
    if (image.error) return Object.keys(now).forEach(drop);
    target = wanted.target ?? image.predicted;
    against = wanted.against === target ? null : wanted.against;
    const subject = wanted.target ? names[target] : `${names[target]}, the called class`;
    const contrast = against ? `, rather than ${names[against]}` : "";
    const same = wanted.against === target ? ". A class cannot be contrasted with itself: choose another" : "";
    const alone = image.disagreement ? " The heatmaps explain this model alone, not the ensemble." : "";
    place("explain-question").textContent = `What speaks for ${subject}${contrast}${same}.${alone}`;
    for (const method of chosen) {
      for (const kind of ["plain", "under"]) place(`explain-${kind}-${method}`).src = image.source;
      ask(method);
    }
    if (!chosen.length) beside(askFolds(image));
  }

  function ask(method) {
    const image = current();
    const at = method === LAYERED ? layer : null;
    const key = [image.number, target, against, at, method].join("|");
    if (finished.has(key)) {
      cancel(method);
      now[method] = { id: null, key, image, progress: { state: "done" }, result: finished.get(key) };
      return paint(method);
    }
    if (now[method]?.key === key) return paint(method);
    asked += 1;
    const id = `${key}#${asked}`;
    now[method] = { id, key, image, progress: { state: "waiting" }, result: null };
    const { input, width, height } = image;
    connection.send({ ask: "map", method, id, input, width, height, target, against, layer: at });
    return paint(method);
  }

  function remember(key, result) {
    finished.set(key, result);
    if (finished.size > REMEMBERED) finished.delete(finished.keys().next().value);
  }

  function cancel(method) {
    const job = now[method];
    if (job?.id && !ENDED.includes(job.progress.state)) {
      connection.send({ ask: "stop", about: "map", method });
    }
  }

  /* Its map is neither made nor kept on screen any more. */
  function drop(method) {
    cancel(method);
    delete now[method];
  }

  /* Which are shown: a method that is not costs nothing */

  function arrange() {
    const shown = view === "all" ? chosen : [view];
    for (const method of Object.keys(methods)) {
      place(`explain-card-${method}`).dataset.shown = shown.includes(method) ? "yes" : "no";
      if (!chosen.includes(method)) {
        drop(method);
        window.lesionlens.stopJudging(method);
      }
    }
    paintRegions();
    const data = [{ value: "all", label: "All" }, ...chosen.map((value) => ({ value, label: methods[value].name }))];
    const { dataset } = place("explain-root");
    const arranged = JSON.stringify([data, view]);
    if (dataset.arranged !== arranged) setProps("explain-view", { data, value: view });
    dataset.arranged = arranged;
  }

  function choose(chosenTarget, chosenAgainst, chosenMethods, chosenLayer) {
    Object.assign(wanted, { target: chosenTarget ?? null, against: chosenAgainst ?? null });
    layer = chosenLayer === layers.at(-1)?.value ? null : chosenLayer;
    chosen = Object.keys(methods).filter((method) => chosenMethods.includes(method));
    if (!chosen.includes(view)) view = "all";
  }

  /* Showing them */

  function paint(method) {
    if (!onPage() || !now[method]) return;
    const part = (kind) => `explain-${kind}-${method}`;
    const { key, image, progress, result } = now[method];
    for (const kind of ["heat", "map"]) place(part(kind)).src = result?.[kind] ?? "";
    const gradient = result?.gradient ?? ["transparent", "transparent"];
    place(part("scale")).style.background = `linear-gradient(90deg, ${gradient.join(", ")})`;
    ["low", "middle", "high"].forEach((end, index) => (place(part(end)).textContent = result?.marks[index] ?? ""));
    for (const kind of ["png", "npz"]) place(part(kind)).disabled = !result?.npz;
    place(part("amount")).value = progress.total ? progress.done / progress.total : 0;
    place(part("status")).textContent = statusText(progress, result);
    Object.assign(place(part("card")).dataset, { state: progress.state, map: result ? "yes" : "no" });
    const { input, sample, case: name } = image;
    window.lesionlens.judge(method, { key, input, npz: result?.npz, sample, case: name });
    paintRegions();
    beside(askFolds(current()));
  }

  function beside(answer) {
    answer.catch(() => {}); // the server is gone, of which the maps tell
  }

  function paintRegions() {
    if (!onPage()) return;
    const found = Object.fromEntries(chosen.map((method) => [method, now[method]?.result?.regions]));
    window.lesionlens.showRegions(found, methods);
  }

  function statusText(progress, result) {
    switch (progress.state) {
      case "waiting":
        return "Waiting to start";
      case "loading":
        return "Loading TensorFlow, once after the server's start";
      case "running":
        if (!progress.done) return "Starting";
        return `${progress.done.toLocaleString("en")} of ${progress.total.toLocaleString("en")} · ${timeLeft(progress)}`;
      case "stopped":
        return result ? `Cancelled · ${result.facts}` : "Cancelled";
      case "failed":
        return `Failed. ${progress.message}`;
      default:
        return result?.facts ?? "";
    }
  }

  function timeLeft(progress) {
    const seconds = Math.max(1, Math.round(progress.left));
    return seconds < 90 ? `${seconds} s left` : `${Math.round(seconds / 60)} min left`;
  }

  function announce(method, state) {
    const words = { done: "finished", stopped: "cancelled", failed: "failed" }[state];
    if (words && onPage()) place(`explain-announce-${method}`).textContent = `${methods[method].name} ${words}.`;
  }

  /* What the server answers */

  connection.hear("map", ({ map, ...progress }, method) => {
    if (now[method]?.id !== progress.id) return;
    // It was cancelled here before the server came to it.
    if (now[method].progress.state === "stopped" && !ENDED.includes(progress.state)) return;
    now[method].progress = progress;
    if (map) now[method].result = map;
    if (progress.state === "done") remember(now[method].key, map);
    paint(method);
    announce(method, progress.state);
  });

  /* They come after the map, when the user may look at another image already. */
  connection.hear("regions", (regions, method) => {
    const result = now[method]?.id === regions.id ? now[method].result : finished.get(regions.id.split("#")[0]);
    if (!result) return;
    result.regions = regions;
    paintRegions();
  });

  connection.lost(() => {
    for (const [method, job] of Object.entries(now)) {
      if (ENDED.includes(job.progress.state)) continue;
      job.progress = { state: "failed", message: LOST };
      paint(method);
      announce(method, "failed");
    }
  });

  /* The buttons of the cards */

  const ACTIONS = {
    cancel(method) {
      cancel(method);
      const job = now[method];
      if (!QUEUED.includes(job.progress.state)) return; // else the server says when it has ended it
      job.progress = { state: "stopped" };
      paint(method);
      announce(method, "stopped");
    },
    again(method) {
      delete now[method];
      ask(method);
    },
    png(method) {
      const { result, image } = now[method];
      const data = { npz: result.npz, source: image.source, opacity, filename: fileName(method, "png") };
      setProps("explain-picture", { data });
    },
    npz(method) {
      const data = { content: now[method].result.npz, base64: true, filename: fileName(method, "npz") };
      setProps("explain-download", { data });
    },
    "trust-curves": (method) => window.lesionlens.showCurves(method),
    "trust-again"(method) {
      window.lesionlens.forgetVerdicts(method);
      paint(method);
    },
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".heat-card [data-action]");
    if (button) ACTIONS[button.dataset.action](button.dataset.method);
  });

  function fileName(method, suffix) {
    const { image } = now[method];
    const stem = (image.sample ?? image.name).replace(/\.[^.]*$/, "").replace(/[^\w-]+/g, "_");
    const at = method === LAYERED && layer ? `_${layer}` : "";
    return `${stem}_${method}${at}_${target}${against ? `_rather_than_${against}` : ""}.${suffix}`;
  }

  /* The thumbnails through which several images are chosen */

  function showStrip() {
    if (!onPage()) return;
    place("explain-root").dataset.count = images.length;
    place("explain-position").textContent = `${position + 1} of ${images.length}`;
    place("explain-previous").disabled = position === 0;
    place("explain-next").disabled = position === images.length - 1;
    const strip = place("explain-thumbnails");
    if (images.length > 1) strip.append(...images.slice(strip.childElementCount).map(thumbnail));
    [...strip.children].forEach((button, index) => button.setAttribute("aria-current", String(index === position)));
  }

  function thumbnail({ name, number, source }) {
    const button = Object.assign(document.createElement("button"), { className: "thumbnail", type: "button", title: name });
    button.setAttribute("aria-label", `Image ${number + 1}: ${name}`);
    button.append(source ? Object.assign(new Image(), { src: source, alt: "" }) : "!");
    button.addEventListener("click", () => select(number));
    return button;
  }

  function show(image) {
    onScreen = image;
    Object.assign(place("explain-root").dataset, {
      state: image.error ? "failed" : "full",
      synthetic: image.synthetic ? "yes" : "no",
    });
    place("explain-failed-name").textContent = `${image.name} could not be opened`;
    place("explain-failed-text").textContent = image.error ?? "";
    place("explain-name").textContent = image.name;
    place("explain-facts").textContent = image.error ? "" : facts(image);
    showStrip();
    place("explain-original").src = image.source ?? "";
    showSaid();
    window.lesionlens.replaceQuery({ sample: image.sample ?? null, case: image.case ?? null });
  }

  function facts(image) {
    const size = `${image.width} × ${image.height} px`;
    return image.synthetic ? `Drawn by a computer, a picture of no patient · ${size}` : size;
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.explain = {
    async open(contents, names) {
      const skip = window.dash_clientside.no_update;
      if (!contents || !contents.length) return skip;
      const files = names.map((name, index) => ({ name, content: contents[index] }));
      files.sort((one, other) => one.name.localeCompare(other.name, "en", { numeric: true }));
      for (const [index, { name, content }] of files.entries()) {
        opening(`Opening ${name} (${index + 1} of ${files.length})`);
        const number = add(await opened(openFile(name, content), name)); // others may have been opened meanwhile
        if (index === 0) select(number);
        else showStrip();
      }
      opening("");
      return null;
    },

    async arrive(query, tta, ensemble, known, knownNames, knownLayers, chosenView, ...choice) {
      Object.assign(model, { tta, ensemble });
      [methods, names, layers] = [known, knownNames, knownLayers];
      connection.open();
      window.lesionlens.fillCards(methods);
      const changes = { childList: true, subtree: true, attributeFilter: ["data-about"] };
      for (const said of SAID.map(place)) if (said) new MutationObserver(showSaid).observe(said, changes);
      view = chosenView;
      choose(...choice);
      setProps("explain-opacity", { value: 100 * opacity });
      const kind = query?.case ? "case" : "sample";
      const named = query?.[kind];
      if (named) {
        const at = images.findIndex((image) => image[kind] === named);
        if (at < 0) opening(`Opening the ${kind}`);
        const open = kind === "case" ? openCase : openSample;
        await select(at < 0 ? add(await opened(open(named), named)) : at);
        opening("");
      } else if (images.length) await select(position);
      return "";
    },

    page() {
      const trigger = window.dash_clientside.callback_context.triggered_id;
      if (trigger === "explain-previous") select(position - 1);
      if (trigger === "explain-next") select(position + 1);
    },

    ask(...choice) {
      choose(...choice);
      if (images.length && onPage()) explain(current());
    },

    model(tta, ensemble) {
      Object.assign(model, { tta, ensemble });
      window.lesionlens.replaceQuery({ tta: tta ? 1 : null, ensemble: ensemble ? 1 : null });
      if (images.length) select(position);
    },

    opacity(percent) {
      opacity = percent / 100;
      document.documentElement.style.setProperty("--heatmap-opacity", String(opacity));
    },

    view(wanted) {
      if (wanted !== view) {
        view = wanted;
        window.lesionlens.replaceQuery({ view: view === "all" ? null : view });
        arrange();
      }
      return view;
    },
  };
})();
