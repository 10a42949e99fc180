/* Upload with progress: files and folders are sent piece by piece, then imported together. Without this script the
   plain form does the same in one request. Names travel in a header, never in an address. */
(() => {
  "use strict";

  const form = document.querySelector("form#carga");
  if (!form || !window.fetch) return;
  const find = (name) => form.querySelector(`[data-${name}]`);
  const zone = find("soltar");
  const panel = find("subida");
  const bar = find("barra");
  const title = find("titulo");
  const tally = find("cuenta");
  const list = find("lista");
  const failure = find("error");
  const input = form.querySelector("#archivos");
  const folder = find("carpeta");
  const PIECE = Number(form.dataset.trozo);
  const RETRIES = 5;
  const SHOWN = 200;
  const token = form.querySelector("[name=csrf_token]").value;
  const count = new Intl.NumberFormat("es-CO");
  let stop = null;
  let current = null;

  for (const one of form.querySelectorAll("[data-con-script], [data-elegir-carpeta]")) one.hidden = false;
  for (const one of form.querySelectorAll("[data-sin-script], [data-enviar]")) one.hidden = true;
  if (!("webkitdirectory" in folder)) find("elegir-carpeta").hidden = true;

  const size = (bytes) => (bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1).replace(".", ",")} MB` : `${Math.ceil(bytes / 1000)} kB`);

  async function call(address, options = {}) {
    const answer = await fetch(address, {
      method: "POST",
      credentials: "same-origin",
      signal: stop?.signal,
      ...options,
      headers: { "X-CSRFToken": token, Accept: "application/json", ...options.headers },
    });
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      const said = body.error || body;
      const problem = new Error([said.mensaje, said.que_hacer].filter(Boolean).join(" ") || "El servidor no respondió.");
      problem.status = answer.status;
      problem.body = body;
      throw problem;
    }
    return body;
  }

  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  async function sendFile(file, number, name, address, moved) {
    let at = 0;
    let tries = 0;
    do {
      const piece = file.slice(at, at + PIECE);
      try {
        const answer = await call(address, {
          body: piece,
          headers: {
            "Content-Type": "application/octet-stream",
            "X-Archivo": String(number),
            "X-Desde": String(at),
            "X-Nombre": encodeURIComponent(name),
          },
        });
        moved(answer.tamano - at);
        at = answer.tamano;
        tries = 0;
      } catch (problem) {
        if (problem.status === 409 && Number.isInteger(problem.body?.tamano)) {
          moved(problem.body.tamano - at);
          at = problem.body.tamano;
        } else if (problem.name === "AbortError" || (problem.status && problem.status < 500)) {
          throw problem;
        }
        tries += 1;
        if (tries > RETRIES) throw problem;
        await pause(500 * 2 ** tries);
      }
    } while (at < file.size);
  }

  function show(items) {
    list.replaceChildren(
      ...items.slice(0, SHOWN).map((item) => {
        const line = document.createElement("li");
        const name = document.createElement("span");
        const state = document.createElement("span");
        name.textContent = item.name;
        name.title = item.name;
        state.textContent = size(item.file.size);
        line.append(name, state);
        item.state = state;
        return line;
      }),
    );
    if (items.length > SHOWN) {
      const rest = document.createElement("li");
      rest.textContent = `y ${count.format(items.length - SHOWN)} más`;
      list.append(rest);
    }
  }

  async function watch(address, alive) {
    while (alive()) {
      await pause(1000);
      if (!alive()) return;
      try {
        const far = await call(address, { method: "GET" });
        if (far.total && alive()) {
          bar.max = far.total;
          bar.value = far.hechos;
          tally.textContent = `${count.format(far.hechos)} de ${count.format(far.total)} archivos`;
        }
      } catch {
        /* The answer of the import itself says what happened. */
      }
    }
  }

  async function upload(items) {
    if (stop || !items.length) return;
    stop = new AbortController();
    failure.hidden = true;
    panel.hidden = false;
    zone.hidden = true;
    find("cancelar").hidden = false;
    title.textContent = "Subiendo";
    const all = items.reduce((sum, item) => sum + item.file.size, 0);
    let sent = 0;
    show(items);
    bar.max = Math.max(all, 1);
    const moved = (bytes) => {
      sent += bytes;
      bar.value = sent;
      tally.textContent = `${size(sent)} de ${size(all)} · ${count.format(items.length)} ${items.length === 1 ? "archivo" : "archivos"}`;
    };
    moved(0);
    try {
      current = await call(form.dataset.empezar);
      for (const [number, item] of items.entries()) {
        await sendFile(item.file, number, item.name, current.trozo, moved);
        if (item.state) item.state.textContent = "listo";
      }
      title.textContent = "Reconociendo";
      bar.removeAttribute("value");
      tally.textContent = "";
      find("cancelar").hidden = true;
      let working = true;
      const watching = watch(current.avance, () => working);
      try {
        const done = await call(current.importar);
        working = false;
        location.assign(done.resultado);
      } finally {
        working = false;
        await watching;
      }
    } catch (problem) {
      stop = null;
      zone.hidden = false;
      find("cancelar").hidden = true;
      if (problem.name === "AbortError") {
        panel.hidden = true;
        return;
      }
      title.textContent = "No se terminó";
      failure.textContent = problem instanceof TypeError ? "Se perdió la conexión; no se cargó nada. Intente de nuevo." : problem.message;
      failure.hidden = false;
    }
  }

  find("cancelar").addEventListener("click", async () => {
    stop?.abort();
    stop = null;
    if (current) await call(current.cancelar).catch(() => {});
    current = null;
    input.value = "";
  });

  const plain = (files) => Array.from(files, (file) => ({ file, name: file.webkitRelativePath || file.name }));
  input.addEventListener("change", () => upload(plain(input.files)));
  folder.addEventListener("change", () => upload(plain(folder.files)));
  find("elegir-carpeta").addEventListener("click", () => folder.click());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    upload(plain(input.files));
  }, true);

  /* Folders that are dropped are walked here: the browser gives their entries a hundred at a time. */
  async function walk(entry, path, found) {
    if (entry.isFile) {
      const file = await new Promise((done, failed) => entry.file(done, failed));
      found.push({ file, name: path + file.name });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((done, failed) => reader.readEntries(done, failed));
      if (!some.length) return;
      for (const one of some) await walk(one, `${path}${entry.name}/`, found);
    }
  }
  for (const kind of ["dragenter", "dragover"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.add("encima");
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) zone.classList.remove("encima");
  });
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    zone.classList.remove("encima");
    const entries = Array.from(event.dataTransfer.items, (item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const loose = plain(event.dataTransfer.files);
    if (!entries.length) {
      upload(loose);
      return;
    }
    const found = [];
    for (const entry of entries) await walk(entry, "", found);
    upload(found);
  });
})();
