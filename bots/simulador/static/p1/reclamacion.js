/* The claim form: city list, lookup of the invoice on blur, file rules, confirmations, and the box with the code. */
"use strict";
const NAMES = JSON.parse(document.getElementById("nombres").textContent);
const field = (key) => document.getElementById(NAMES[key]);
const form = document.getElementById("form-reclamacion");
const loading = document.getElementById("cargando");
const invoice = field("factura");

/* --- City list ---------------------------------------------------------------------------------------------------- */
const cityBox = document.getElementById("dd-ciudades");
const citySearch = cityBox.querySelector("input.search");
const cityItems = [...cityBox.querySelectorAll(".item")];
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toUpperCase();

function showCities() {
  const wanted = plain(citySearch.value);
  cityItems.forEach((item) => item.classList.toggle("filtered", !plain(item.textContent).includes(wanted)));
  cityBox.classList.add("active");
}

citySearch.addEventListener("focus", showCities);
citySearch.addEventListener("input", () => { field("ciudad").value = ""; showCities(); });
citySearch.addEventListener("blur", () => setTimeout(() => {
  if (document.activeElement !== citySearch) cityBox.classList.remove("active");
}, 200));
cityItems.forEach((item) => item.addEventListener("mousedown", (event) => {
  event.preventDefault();
  field("ciudad").value = item.dataset.value;
  citySearch.value = item.textContent;
  cityBox.classList.remove("active");
  citySearch.blur();
}));

/* --- Requests ----------------------------------------------------------------------------------------------------- */
async function ask(url, options = {}) {
  const response = await fetch(url, options);
  if (!(response.headers.get("Content-Type") || "").startsWith("application/json")) {
    throw new Error(`Error del servidor (${response.status})`);
  }
  const body = await response.json();
  if (body.estado === "sesion") {
    await confirmar({ title: "Sesión", content: body.mensaje, type: "orange" });
    window.location.href = "/?caducada=1";
    throw new Error(body.mensaje);
  }
  return body;
}

function failed(error) {
  loading.hidden = true;
  return confirmar({ title: "Error", content: `Ha ocurrido un error al procesar la solicitud. ${error.message}`, type: "red" });
}

/* --- Account type, invoice and files ------------------------------------------------------------------------------ */
field("cuenta").addEventListener("change", () => {
  document.getElementById("panel-primera").hidden = field("cuenta").value !== "1";
  document.getElementById("panel-respuesta").hidden = !["3", "5"].includes(field("cuenta").value);
});

async function lookUp() {
  const number = invoice.value.trim();
  if (!number) return;
  const holder = document.getElementById("campo-factura");
  holder.classList.add("loading");
  try {
    const answer = await ask(`/recepcion-reclamacion/consulta-factura?numero=${encodeURIComponent(number)}`);
    const first = !["3", "5"].includes(field("cuenta").value);
    if (answer.existe && first) {
      invoice.value = "";
      await confirmar({ title: "Factura registrada", content: answer.mensaje, type: "orange" });
    } else if (answer.existe) {
      await confirmar({ title: "Factura registrada", content: answer.mensaje, type: "green", buttons: ["CONTINUAR"] });
    } else if (!first) {
      invoice.value = "";
      await confirmar({ title: "Factura no registrada", content: `La factura ${number} no se encuentra registrada.`, type: "orange" });
    }
  } finally {
    holder.classList.remove("loading");
  }
}
invoice.addEventListener("blur", () => lookUp().catch(failed));

form.querySelectorAll("input[type=file]").forEach((input) => input.addEventListener("change", () => {
  const file = input.files[0];
  if (!file) return;
  let problem = "";
  if (!file.name.endsWith(".pdf")) problem = "Solo se permiten archivos con extensión .pdf en minúscula.";
  else if (file.size > Number(form.dataset.maxMb) * 1024 * 1024) problem = `El archivo supera el límite de ${form.dataset.maxMb} MB.`;
  if (problem) {
    input.value = "";
    confirmar({ title: "Archivo no permitido", content: `${file.name}: ${problem}`, type: "orange" });
  }
}));

/* --- Sending ------------------------------------------------------------------------------------------------------ */
async function showCode(text) {
  await confirmar({ title: "Registro Generado", content: text, type: "green", buttons: ["Generar una nueva reclamación"] });
  window.location.href = "/recepcion-reclamacion";
}

async function send() {
  const sure = await confirmar({
    title: "Confirmación", content: `¿Está seguro de registrar la reclamación de la factura ${invoice.value.trim()}?`,
    buttons: ["Sí, continuar", "Cancelar"],
  });
  if (sure !== "Sí, continuar") return;
  const fields = new FormData(form);
  const typed = new FormData();
  fields.forEach((value, name) => { if (typeof value === "string") typed.append(name, value); });
  const check = await ask("/recepcion-reclamacion/validar", { method: "POST", body: typed });
  if (check.estado !== "ok") {
    await confirmar({ title: "Datos incompletos", content: check.mensaje, type: "orange" });
    return;
  }
  if (check.confirmar) {
    const again = await confirmar({
      title: "Verifique la información", content: "Una vez guardada, la reclamación no se puede modificar.",
      buttons: ["Continuar y Guardar", "Cancelar"],
    });
    if (again !== "Continuar y Guardar") return;
  }
  loading.hidden = false;
  const answer = await ask("/recepcion-reclamacion/guardar", { method: "POST", body: fields });
  if (answer.silencio) return;
  loading.hidden = true;
  if (answer.anterior) await showCode(`Tu codigo es: '${form.dataset.anterior}'`);
  else if (answer.estado === "ok") await showCode(answer.mensaje);
  else await confirmar({ title: "No se registró la reclamación", content: answer.mensaje, type: "red" });
}
["enviar", "enviar_respuesta"].forEach((key) => field(key).addEventListener("click", () => send().catch(failed)));
