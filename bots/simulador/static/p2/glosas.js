/* Bag and paused accounts: list, open (assigns), answer each item or in mass, finish. */
"use strict";
const form = document.getElementById("formBolsa");
const list = document.getElementById("tablaRespuestaGlosa");
const processing = document.getElementById("tablaRespuestaGlosa_processing");
const size = document.getElementById("tablaRespuestaGlosa_length");
const nextPage = document.getElementById("tablaRespuestaGlosa_next");
const block = document.getElementById("bloqueCuenta");
const items = document.getElementById("tablaItemsGlosa");
const finishButton = document.getElementById("btRespuestaFinish");
const modal = document.getElementById("modalRespuesta");
const MASS_LIMIT = 200;
let rows = [];
let page = 0;
let account = null;
let massUsed = false;

async function ask(url, options = {}) {
  const response = await fetch(url, options);
  const type = response.headers.get("Content-Type") || "";
  if (!type.startsWith("application/json")) throw new Error(`Error del servidor (${response.status})`);
  const body = await response.json();
  if (body.estado === "sesion") {
    await dialogo({ icon: "warning", title: "Sesión finalizada", text: body.mensaje });
    window.location.href = "/app?caducada=1";
    throw new Error(body.mensaje);
  }
  return body;
}

function cell(content) {
  const element = document.createElement("td");
  element.append(content);
  return element;
}

function button(text, attributes) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "btn btn-light";
  element.textContent = text;
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  return element;
}

function lineOf(values, action) {
  const row = document.createElement("tr");
  values.forEach((value) => row.append(cell(value)));
  row.append(cell(action));
  return row;
}

function showPage() {
  const count = Number(size.value);
  const shown = rows.slice(page * count, (page + 1) * count).map((values) => {
    const open = button("Abrir", { idcuenta: values[0] });
    open.addEventListener("click", () => openAccount(values[0]).catch(failed));
    return lineOf(values, open);
  });
  if (!shown.length) {
    const empty = lineOf([], "Ningún dato disponible en esta tabla");
    empty.firstChild.colSpan = 10;
    empty.firstChild.className = "dataTables_empty";
    shown.push(empty);
  }
  list.querySelector("tbody").replaceChildren(...shown);
  const last = Math.min(rows.length, (page + 1) * count);
  document.getElementById("tablaRespuestaGlosa_info").textContent = `Mostrando hasta ${last} de ${rows.length} registros`;
  nextPage.disabled = last >= rows.length;
  list.dataset.pagina = page;
  list.dataset.estado = "listo";
}

async function load() {
  processing.hidden = false;
  list.dataset.estado = "cargando";
  const query = new URLSearchParams();
  if (form.dataset.bandeja === "bolsa") {
    if (!document.getElementById("filterBy").value) throw new Error("Seleccione el filtro.");
    query.set("desde", document.getElementById("fechaIni").value);
    query.set("hasta", document.getElementById("fechaFin").value);
  }
  rows = (await ask(`${form.dataset.datos}?${query}`)).filas;
  page = 0;
  showPage();
  processing.hidden = true;
}

function failed(error) {
  processing.hidden = true;
  if (list.dataset.estado === "cargando") list.dataset.estado = "error";
  return dialogo({ icon: "error", title: "Error", text: error.message });
}

async function openAccount(id) {
  const sure = await dialogo({
    icon: "question", title: "¿Desea tomar la cuenta?", text: `La cuenta ${id} quedará asignada a su usuario.`,
    confirm: "Sí, tomar", cancel: "Cancelar",
  });
  if (!sure) return;
  const answer = await ask(`/app/glosas/cuenta/${id}/abrir`, { method: "POST" });
  if (answer.estado !== "ok") {
    await dialogo({ icon: "error", title: answer.titulo, text: answer.mensaje });
    return;
  }
  await dialogo({ icon: "success", title: answer.titulo, text: answer.mensaje });
  account = id;
  await refresh();
  document.getElementById("cuentaAbierta").textContent = id;
  document.getElementById("descargarDetalle").href = `/app/glosas/cuenta/${id}/detalle.xlsx`;
  document.getElementById("descargarGlosas").href = `/app/glosas/cuenta/${id}/glosas.xlsx`;
  rows = rows.filter((values) => values[0] !== id || form.dataset.bandeja === "pausa");
  showPage();
  block.hidden = false;
}

async function refresh() {
  const state = await ask(`/app/glosas/cuenta/${account}`);
  if (state.estado !== "ok") throw new Error(state.mensaje);
  document.getElementById("detalleCuenta").textContent = state.detalle.join(" · ");
  items.querySelector("tbody").replaceChildren(...state.glosas.map((values) => {
    const reply = button("Responder", { "btnanswerglosamodal": values[0], class: "btn btn-light btnAnswerGlosaModal" });
    reply.disabled = values[9] === "LEVANTADA";
    reply.addEventListener("click", () => openModal(values[0]));
    return lineOf(values, reply);
  }));
  items.dataset.cuenta = state.cuenta;
  items.dataset.lectura = Number(items.dataset.lectura || 0) + 1;
  items.dataset.estado = "listo";
  finishButton.disabled = !state.habilitado;
  const open = state.glosas.some((values) => values[9] === "SIN RESPUESTA");
  if (!open && !state.habilitado) setTimeout(() => refresh().catch(failed), 500);
}

function openModal(id) {
  modal.dataset.idglosa = id;
  document.getElementById("glosaEnModal").textContent = id;
  ["Tipo", "Obs", "File"].forEach((name) => { document.getElementById(`glosaResp${name}`).value = ""; });
  modal.hidden = false;
}

async function send(prefix, ids, mass) {
  const body = new FormData();
  ids.forEach((id) => body.append("idglosa", id));
  body.append("masiva", mass ? "1" : "0");
  body.append("glosaRespTipo", document.getElementById(`${prefix}Tipo`).value);
  body.append("glosaRespObs", document.getElementById(`${prefix}Obs`).value);
  const [file] = document.getElementById(`${prefix}File`).files;
  if (file) body.append("glosaRespFile", file);
  const answer = await ask(`/app/glosas/cuenta/${account}/responder`, { method: "POST", body });
  if (answer.estado !== "ok") {
    await dialogo({ icon: "error", title: answer.titulo, text: answer.mensaje });
    return;
  }
  modal.hidden = true;
  document.getElementById("modalMasiva").hidden = true;
  await refresh();
  await dialogo({ icon: "success", title: answer.titulo, text: answer.mensaje });
}

async function sendMass() {
  const chosen = [...document.getElementById("glosaMasItems").selectedOptions].map((option) => option.value);
  if (chosen.length > MASS_LIMIT) throw new Error("select2: RangeError: demasiados elementos seleccionados");
  if (!chosen.length) throw new Error("Seleccione los ítems.");
  await send("glosaMas", chosen, true);
}

function openMass() {
  if (massUsed) return; // the dialog works once per page load, as on the real page
  massUsed = true;
  const select = document.getElementById("glosaMasItems");
  const lines = [...items.querySelectorAll("tbody tr")].filter((row) => row.cells[9].textContent !== "LEVANTADA");
  select.replaceChildren(...lines.map((row) => new Option(row.cells[0].textContent, row.cells[0].textContent)));
  document.getElementById("modalMasiva").hidden = false;
}

async function finish() {
  const sure = await dialogo({
    icon: "question", title: "Desea Terminar?", text: `Se enviará la respuesta de la cuenta ${account}.`,
    confirm: "Sí, Terminar!", cancel: "Cancelar",
  });
  if (!sure) return;
  finishButton.disabled = true;
  processing.hidden = false;
  let answer;
  try {
    answer = await ask(`/app/glosas/cuenta/${account}/cerrar`, { method: "POST" });
  } catch (error) {
    await failed(new Error(`Ha ocurrido un error al procesar la solicitud. ${error.message}`));
    return;
  }
  if (answer.silencio) return;
  processing.hidden = true;
  if (answer.estado !== "ok") {
    await dialogo({ icon: "error", title: answer.titulo, text: answer.mensaje });
    return;
  }
  await dialogo({ icon: "success", title: answer.titulo, text: answer.mensaje });
  window.location.href = "/app/glosas/bolsa";
}

document.querySelectorAll(".mayuscula").forEach((area) => {
  area.addEventListener("input", () => { area.value = area.value.toUpperCase(); });
});
form.addEventListener("submit", (event) => { event.preventDefault(); load().catch(failed); });
size.addEventListener("change", () => { page = 0; showPage(); });
nextPage.addEventListener("click", () => { page += 1; showPage(); });
document.getElementById("btnRespuestaMasiva").addEventListener("click", openMass);
document.getElementById("btnAnswerGlosa").addEventListener("click", () => send("glosaResp", [modal.dataset.idglosa], false).catch(failed));
document.getElementById("btnAnswerGlosaMasiva").addEventListener("click", () => sendMass().catch(failed));
finishButton.addEventListener("click", () => finish().catch(failed));
if (form.dataset.bandeja === "pausa") load().catch(failed);
