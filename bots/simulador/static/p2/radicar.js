/* The Radicar page: invoice blocks, upload of the draft, polling of its validation, and the final button. */
"use strict";
const NAMES = JSON.parse(document.getElementById("nombres").textContent);
const form = document.getElementById("formRadicar");
const blocks = document.getElementById("facturas");
const panel = document.getElementById("panelValidacion");
const processing = document.getElementById("tablaValidacion_processing");
const summary = document.getElementById("resultadoValidacion");
const table = document.getElementById("tablaValidacion");
const finalButton = document.getElementById(NAMES.radicar);
const uploadButton = document.getElementById(NAMES.cargar);
let account = null;

function addBlock() {
  const block = document.getElementById("plantillaFactura").content.cloneNode(true);
  const n = blocks.children.length + 1;
  block.querySelector(".indice").textContent = n;
  block.querySelectorAll("[data-campo]").forEach((input) => {
    const name = `${NAMES[input.dataset.campo]}_${n}`;
    input.removeAttribute("data-campo");
    input.name = name;
    input.id = name;
    const label = input.previousElementSibling;
    if (label) label.htmlFor = name;
  });
  blocks.append(block);
}

async function ask(url, options) {
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

function showProblem(title, text) {
  processing.hidden = true;
  uploadButton.disabled = false;
  return dialogo({ icon: "error", title, text });
}

function fillTable(results) {
  const rows = results.map((item) => {
    const row = document.createElement("tr");
    row.className = item.correcto ? "" : "error";
    const size = item.bytes ? `${Math.max(1, Math.round(item.bytes / 1024))} KB` : "";
    [item.factura, item.tipo, item.archivo, size, item.correcto ? "Correcto" : "Error", item.observacion].forEach((text) => {
      const cell = document.createElement("td");
      cell.textContent = text;
      row.append(cell);
    });
    return row;
  });
  table.querySelector("tbody").replaceChildren(...rows);
  table.hidden = false;
}

async function poll(id) {
  const state = await ask(`${form.dataset.carga}/${id}`, { method: "GET" });
  if (id !== account) return;
  if (state.estado === "VALIDANDO") {
    setTimeout(() => poll(id).catch(connectionLost), 250);
    return;
  }
  processing.hidden = true;
  uploadButton.disabled = false;
  summary.hidden = false;
  summary.dataset.estado = state.estado;
  summary.className = `alert ${state.estado === "VALIDADA" ? "alert-success" : "alert-danger"}`;
  summary.textContent = state.mensaje;
  if (table.hidden) fillTable(state.resultados);
  finalButton.disabled = !state.habilitado;
  if (state.estado === "VALIDADA" && !state.habilitado) setTimeout(() => poll(id).catch(connectionLost), 500);
}

function connectionLost(error) {
  console.warn(error.message);
  showProblem("Error", "No fue posible comunicarse con el servidor.");
}

async function upload(event) {
  event.preventDefault();
  panel.hidden = false;
  processing.hidden = false;
  summary.hidden = true;
  table.hidden = true;
  finalButton.disabled = true;
  uploadButton.disabled = true;
  const answer = await ask(form.dataset.carga, { method: "POST", body: new FormData(form) });
  if (answer.estado !== "ok") {
    await showProblem("No se cargó la cuenta", answer.mensaje);
    return;
  }
  account = answer.cuenta;
  document.getElementById("numeroCuenta").textContent = account;
  await poll(account);
}

async function fileAccount() {
  const sure = await dialogo({
    icon: "question", title: "¿Desea radicar?",
    text: `Se radicará la cuenta ${account}. Esta acción no se puede deshacer.`,
    confirm: "Sí, radicar", cancel: "Cancelar",
  });
  if (!sure) return;
  finalButton.disabled = true;
  processing.hidden = false;
  let answer;
  try {
    answer = await ask(`/app/radicar/cuenta/${account}/radicar`, { method: "POST" });
  } catch (error) {
    await showProblem("Error", `Ha ocurrido un error al procesar la solicitud. ${error.message}`);
    return;
  }
  if (answer.silencio) return;
  processing.hidden = true;
  if (answer.estado !== "ok") {
    await dialogo({ icon: "error", title: answer.titulo || "Error", text: answer.mensaje });
    return;
  }
  const link = answer.constancia
    ? { text: "Descargar constancia", href: answer.constancia, id: "descargarConstancia" } : null;
  await dialogo({ icon: "success", title: answer.titulo, text: answer.mensaje, link });
  window.location.href = "/app/radicar";
}

form.addEventListener("submit", (event) => upload(event).catch(connectionLost));
document.getElementById("btnAgregarFactura").addEventListener("click", addBlock);
finalButton.addEventListener("click", () => fileAccount().catch(connectionLost));
addBlock();
