/* Page Validar: files are dropped, sent with progress, and the verdict comes beside the form, so that the same files
   can be asked for as Excel. Without this script the plain form does the same in a new page. */
(() => {
  "use strict";

  const form = document.querySelector("form#validar");
  if (!form || !window.FormData || !window.DataTransfer) return;
  const find = (name) => form.querySelector(`[data-${name}]`);
  const input = form.querySelector("#archivos");
  const zone = find("soltar");
  const chosen = find("elegidos");
  const failure = find("error");
  const bar = find("barra");
  const result = document.querySelector("#resultado");
  const buttons = form.querySelectorAll("button");
  const MOST = Number(form.dataset.maximo);
  const FILES = Number(form.dataset.archivos);
  const count = new Intl.NumberFormat("es-CO");
  let sending = null;

  for (const one of form.querySelectorAll("[data-con-script]")) one.hidden = false;
  for (const one of form.querySelectorAll("[data-sin-script]")) one.hidden = true;

  const size = (bytes) => (bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1).replace(".", ",")} MB` : `${Math.ceil(bytes / 1000)} kB`);
  const total = () => [...input.files].reduce((sum, file) => sum + file.size, 0);

  function fail(text) {
    failure.textContent = text;
    failure.hidden = !text;
  }

  function refusal() {
    if (!input.files.length) return "No eligió ningún archivo; no hay qué comprobar.";
    if (input.files.length > FILES) return `Son ${count.format(input.files.length)} archivos y de una vez se comprueban ${count.format(FILES)}.`;
    if (total() > MOST) return `Pesan ${size(total())} y de una vez se comprueban ${size(MOST)}. Divídalos.`;
    return "";
  }

  function tell() {
    const files = input.files.length;
    chosen.textContent = files ? `${count.format(files)} ${files === 1 ? "archivo elegido" : "archivos elegidos"}, ${size(total())}` : "";
    fail(files ? refusal() : "");
  }

  function busy(on) {
    for (const one of buttons) one.disabled = on;
    bar.hidden = !on;
    if (on) bar.value = 0;
  }

  function send() {
    fail("");
    busy(true);
    const call = new XMLHttpRequest();
    sending = call;
    call.open("POST", form.action);
    call.setRequestHeader("HX-Request", "true");
    call.setRequestHeader("Accept", "text/html, application/json;q=0.1");
    call.upload.addEventListener("progress", (event) => {
      // The rest of the time is the checking, of which nothing is known beforehand.
      if (event.lengthComputable && event.loaded < event.total) bar.value = (100 * event.loaded) / event.total;
      else bar.removeAttribute("value");
    });
    call.addEventListener("load", () => {
      busy(false);
      if (call.status === 200) {
        result.innerHTML = call.responseText;
        result.focus({ preventScroll: true });
        result.scrollIntoView({ block: "start" });
        return;
      }
      const page = new DOMParser().parseFromString(call.responseText, "text/html");
      const said = page.querySelector(".aviso") || page.querySelector("main");
      fail(said ? said.textContent.replace(/\s+/g, " ").trim() : "El servidor no respondió; no se guardó nada.");
    });
    call.addEventListener("error", () => {
      busy(false);
      fail("Se perdió la conexión; no se guardó nada. Vuelva a intentarlo.");
    });
    call.send(new FormData(form));
  }

  form.addEventListener("submit", (event) => {
    const why = refusal();
    if (why) {
      event.preventDefault();
      fail(why);
      return;
    }
    if (event.submitter?.hasAttribute("data-excel")) return;
    event.preventDefault();
    send();
  });
  input.addEventListener("change", tell);
  for (const name of ["dragenter", "dragover"])
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("encima");
    });
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("encima"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    const files = new DataTransfer();
    for (const file of event.dataTransfer.files) files.items.add(file);
    if (!files.files.length) return;
    input.files = files.files;
    tell();
  });
  window.addEventListener("pagehide", () => sending?.abort());
})();
