#!/usr/bin/env python3
"""Comprueba un expediente de radica sin conexión y sin confiar en quien lo hizo.

    python -I verificar.py [CARPETA] [--ancla HUELLA] [--json]

Un solo archivo, sólo la biblioteca estándar (Python 3.9 o posterior); no escribe nada en el expediente ni usa la red.
Veredictos; si caben varios, el que va primero en PRECEDENCIA. Termina con 0 sólo si es VÁLIDA.
"""

import argparse
import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Any

ALTERADA = "ALTERADA"  # algo no es lo que se selló: dice el archivo, lo esperado y lo hallado
INCOMPLETA = "INCOMPLETA"  # falta un archivo o una parte de la prueba, o la carpeta no es un expediente
SIN_SELLO = "SIN SELLO DE TIEMPO"  # todo concuerda, pero ninguna autoridad certificó la hora
SIN_FIRMA = "FIRMA DEL SELLO NO COMPROBADA"  # no hay openssl, o la raíz de la autoridad no es la de --ancla
VALIDA = "VÁLIDA"  # se comprobó todo
PRECEDENCIA = [ALTERADA, INCOMPLETA, SIN_SELLO, SIN_FIRMA, VALIDA]
# La hoja sellada del expediente cubre estos archivos; los manifest-*.txt cubren, a su vez, todo lo de data/.
SELLADOS = ("LEEME.txt", "bag-info.txt", "bagit.txt", "manifest-sha256.txt", "manifest-sha512.txt", "verificar.py")
LISTAS_DE_FUERA = ("tagmanifest-sha256.txt", "tagmanifest-sha512.txt")
CAMPOS_DE_HOJA = {"tipo": str, "nombre": str, "seq": int, "hash": str}
PRUEBA, HISTORIA = "sellos/prueba.json", "data/11_integridad/historia.json"


class Informe:
    """Lo que se va comprobando de una carpeta."""

    def __init__(self, carpeta: Path, anclas: tuple[str, ...]) -> None:
        self.carpeta, self.anclas, self.demostracion = carpeta, anclas, False
        self.hallazgos: list[dict[str, str]] = []  # lo esperado es lo que dice la lista, la historia o el sello
        self.archivos: dict[str, dict[str, str]] = {}  # ruta → sha256, sha512 y bytes
        self.leyendo = self.expediente = self.manifiesto = ""
        self.cadenas: list[dict[str, Any]] = []
        self.evidencias: dict[str, str] = {}  # huella que cita la historia → archivo de la bolsa, o ""
        self.sellos: list[dict[str, Any]] = []
        self.desde: dict[int, str] = {}  # sello → la fecha más antigua que dicen los eslabones que cubre primero

    def anotar(self, veredicto: str, archivo: str, que: str, esperado: str = "", hallado: str = "") -> None:
        """Agrega algo que no está bien."""
        hallazgo = {"veredicto": veredicto, "archivo": archivo, "que": que}
        self.hallazgos.append({**hallazgo, "esperado": esperado, "hallado": hallado})

    def veredicto(self) -> str:
        """Da el peor de los hallazgos."""
        return min((uno["veredicto"] for uno in self.hallazgos), key=PRECEDENCIA.index, default=VALIDA)

    def leer(self, nombre: str) -> bytes:
        """Lee un archivo del expediente."""
        self.leyendo = nombre
        return (self.carpeta / nombre).read_bytes() if self.archivos[nombre] else b""


def comprobar_archivos(informe: Informe) -> None:
    """1. Archivos (BagIt, RFC 8493): cada uno tiene las huellas de las listas; ninguno falta y ninguno sobra."""
    recorrer(informe)
    dentro = {nombre for nombre in informe.archivos if nombre.startswith("data/")}
    fuera = set(informe.archivos) - dentro - set(LISTAS_DE_FUERA)
    for algoritmo in ("sha256", "sha512"):
        comparar(informe, f"manifest-{algoritmo}.txt", algoritmo, dentro)
        comparar(informe, f"tagmanifest-{algoritmo}.txt", algoritmo, fuera)
    # Las listas sólo admiten nombres sin tildes: dos que se confundan sólo pueden diferir en mayúsculas.
    if len({nombre.lower() for nombre in informe.archivos}) < len(informe.archivos):
        informe.anotar(ALTERADA, ".", "hay nombres que sólo se distinguen por mayúsculas")
    if not informe.hallazgos:  # si ya difiere un archivo, el total no dice nada nuevo
        hallado = f"{sum(int(informe.archivos[nombre]['bytes']) for nombre in dentro)}.{len(dentro)}"
        declarado = re.findall(r"(?m)^Payload-Oxum: *(\S+)$", informe.leer("bag-info.txt").decode())
        if declarado != [hallado]:
            informe.anotar(ALTERADA, "bag-info.txt", "Payload-Oxum no es el total", " ".join(declarado), hallado)


def recorrer(informe: Informe) -> None:
    """Calcula las huellas de todo lo que hay en la carpeta, también de lo oculto."""
    pendientes = [informe.carpeta]
    while pendientes:
        carpeta = pendientes.pop()
        entradas = sorted(carpeta.iterdir())
        if not entradas:
            informe.anotar(INCOMPLETA, carpeta.as_posix(), "carpeta vacía: falta lo que tenía, o sobra ella")
        for entrada in entradas:
            ruta = entrada.relative_to(informe.carpeta).as_posix()
            enlace = entrada.is_symlink() or getattr(entrada.lstat(), "st_file_attributes", 0) & 0x400  # de Windows
            if entrada.is_dir() and not enlace:
                pendientes.append(entrada)
            elif entrada.is_file() and not enlace:
                informe.leyendo, sha256, sha512 = ruta, hashlib.sha256(), hashlib.sha512()
                with entrada.open("rb") as archivo:
                    while parte := archivo.read(1 << 20):
                        sha256.update(parte)
                        sha512.update(parte)
                    bytes_ = str(archivo.tell())
                informe.archivos[ruta] = {"sha256": sha256.hexdigest(), "sha512": sha512.hexdigest(), "bytes": bytes_}
            else:
                informe.anotar(ALTERADA, ruta, "es un enlace, o no es archivo ni carpeta")


def comparar(informe: Informe, lista: str, algoritmo: str, presentes: set[str]) -> None:
    """Compara los archivos presentes con una lista de líneas «huella, dos espacios, ruta»."""
    if lista not in informe.archivos:
        return informe.anotar(INCOMPLETA, lista, "falta")
    *lineas, resto = informe.leer(lista).decode("utf-8", "replace").split("\n")
    partes = [re.fullmatch(r"([0-9a-f]{64,128})  ([A-Za-z0-9_./-]+)", linea) for linea in lineas]
    nombradas = {una[2]: una[1] for una in partes if una}
    if resto or len(nombradas) != len(lineas):
        informe.anotar(ALTERADA, lista, "tiene líneas que no son de una lista, o repetidas")
    for nombre in sorted(presentes | set(nombradas)):
        esperada = nombradas.get(nombre, "(no está en la lista)")
        hallada = informe.archivos.get(nombre, {}).get(algoritmo, "(no existe)")
        if hallada != esperada:
            veredicto = ALTERADA if nombre in informe.archivos else INCOMPLETA
            informe.anotar(veredicto, nombre, f"no concuerda con {lista}", esperada, hallada)
    return None


def leer_json(informe: Informe, nombre: str, formato: str) -> Any:
    """Lee un JSON nuestro. Sólo lleva enteros cortos: si se recorta otro número, su huella ya no concuerda."""
    datos = json.loads(informe.leer(nombre), parse_int=lambda cifras: int(cifras[:20]), parse_float=str)
    if campo(datos, "formato", str) != formato:
        raise ValueError(f"no es {formato}: hace falta otra edición de este programa")
    return datos


def campo(datos: Any, nombre: str, tipo: type) -> Any:
    """Toma un campo que debe existir y ser de ese tipo."""
    if not isinstance(datos, dict) or nombre not in datos:
        raise KeyError(nombre)
    if type(datos[nombre]) is not tipo:
        raise ValueError(f"«{nombre}» no es lo que debe")
    return datos[nombre]


def canonico(valor: Any) -> bytes:
    """Da los bytes de los que se toma la huella: 0x01 y JSON de claves ordenadas, sin espacios, en UTF-8 NFC."""
    texto = json.dumps(valor, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return b"\x01" + unicodedata.normalize("NFC", texto).encode()


def comprobar_arbol(informe: Informe, prueba: Any) -> None:
    """2. Árbol (RFC 6962): la huella de las listas y la de cada historia están bajo una raíz sellada."""
    raices = {campo(uno, "hojas", int): bytes.fromhex(campo(uno, "raiz", str)) for uno in campo(prueba, "sellos", list)}
    listas = []
    for hoja in campo(prueba, "hojas", list):
        dato = {clave: campo(hoja, clave, tipo) for clave, tipo in CAMPOS_DE_HOJA.items()}
        sello, indice, ruta = campo(hoja, "sello", int), campo(hoja, "indice", int), campo(hoja, "ruta", list)
        hallada = raiz_desde(canonico(dato), indice, sello - 1, [bytes.fromhex(uno) for uno in ruta])
        if hallada != raices[sello]:
            que = f"la hoja de {dato['nombre']} no está bajo la raíz sellada"
            informe.anotar(ALTERADA, PRUEBA, que, raices[sello].hex(), hallada.hex())
        if dato["tipo"] == "manifiesto":
            listas.append(dato)
    if len(listas) != 1:
        raise KeyError("hoja de las listas de este expediente, una y sólo una")
    informe.expediente = listas[0]["nombre"]
    # Las líneas que escribe «sha256sum» con estos archivos en este orden.
    lineas = "".join(f"{informe.archivos[nombre]['sha256']}  {nombre}\n" for nombre in SELLADOS)
    informe.manifiesto = hashlib.sha256(lineas.encode()).hexdigest()
    if informe.manifiesto != listas[0]["hash"]:
        informe.anotar(ALTERADA, "manifest-*", "las listas no son las selladas", listas[0]["hash"], informe.manifiesto)


def raiz_desde(dato: bytes, indice: int, ultimo: int, ruta: list[bytes]) -> bytes:
    """Sube de una hoja a la raíz: hoja = SHA-256(0x00 ‖ dato), nodo = SHA-256(0x01 ‖ izquierdo ‖ derecho)."""
    nodo = hashlib.sha256(b"\x00" + dato).digest()
    for hermano in ruta:
        if ultimo == 0:
            raise ValueError("una ruta es demasiado larga")
        hermano_a_la_izquierda = indice % 2 == 1 or indice == ultimo
        while indice == ultimo and indice % 2 == 0:  # no tiene hermano en este nivel: sube tal cual
            indice, ultimo = indice // 2, ultimo // 2
        par = hermano + nodo if hermano_a_la_izquierda else nodo + hermano
        nodo, indice, ultimo = hashlib.sha256(b"\x01" + par).digest(), indice // 2, ultimo // 2
    if ultimo:
        raise ValueError("una ruta es demasiado corta")
    return nodo


def comprobar_historia(informe: Informe, prueba: Any) -> None:
    """3. Historia: la huella de cada eslabón es la de su contenido y lleva la del anterior, hasta el sellado."""
    cadenas = campo(leer_json(informe, HISTORIA, "radica-historia/1"), "cadenas", dict)
    selladas: dict[str, list[Any]] = {nombre: [] for nombre in cadenas}
    for hoja in campo(prueba, "hojas", list):
        if campo(hoja, "tipo", str) == "cadena":
            selladas.setdefault(campo(hoja, "nombre", str), []).append(hoja)
    archivo_de = {huellas_de["sha256"]: nombre for nombre, huellas_de in informe.archivos.items()}
    for nombre, hojas in sorted(selladas.items()):
        propias = ["0" * 64]
        for numero, eslabon in enumerate(cadenas.setdefault(nombre, []), 1):
            contenido = {clave: valor for clave, valor in eslabon.items() if clave != "hash"}
            if [contenido.get(clave) for clave in ("case", "seq", "prev")] != [nombre, numero, propias[-1]]:
                que = f"el eslabón {numero} de {nombre} no sigue al anterior"
                informe.anotar(ALTERADA, HISTORIA, que, propias[-1], str(contenido.get("prev")))
            propias.append(hashlib.sha256(canonico(contenido)).hexdigest())
            if campo(eslabon, "hash", str) != propias[-1]:
                que = f"el contenido del eslabón {numero} de {nombre} cambió"
                informe.anotar(ALTERADA, HISTORIA, que, eslabon["hash"], propias[-1])
            informe.evidencias.update((uno, archivo_de.get(uno, "")) for uno in campo(contenido, "evidence", list))
        if cadenas[nombre] and not hojas:
            informe.anotar(INCOMPLETA, PRUEBA, f"falta la hoja sellada de {nombre}")
        for hoja in hojas:
            seq, esperado = campo(hoja, "seq", int), campo(hoja, "hash", str)
            hallado = propias[seq] if 0 < seq < len(propias) else "(no está)"
            if hallado != esperado:
                informe.anotar(ALTERADA, HISTORIA, f"el eslabón {seq} de {nombre} no es el sellado", esperado, hallado)
        for anteriores, eslabon in enumerate(cadenas[nombre]):
            primero = min((campo(hoja, "sello", int) for hoja in hojas if hoja["seq"] > anteriores), default=0)
            informe.desde[primero] = min(campo(eslabon, "recorded_at", str), informe.desde.get(primero, "~"))
        ultimo = max((hoja["seq"] for hoja in hojas), default=0)
        informe.cadenas.append({"nombre": nombre, "eslabones": len(propias) - 1, "sellado_hasta": ultimo})


def comprobar_sellos(informe: Informe, prueba: Any) -> None:
    """4. Tiempo (RFC 3161): cada sello lleva la huella de su raíz, y la firma es de su autoridad."""
    usados = {PRUEBA, *SELLADOS, *LISTAS_DE_FUERA}
    for sello in campo(prueba, "sellos", list):
        linea = f"radica/1 {campo(sello, 'hojas', int)} {campo(sello, 'raiz', str)}\n".encode()
        usados.add(campo(sello, "linea", str))
        if informe.leer(sello["linea"]) != linea:
            informe.anotar(ALTERADA, sello["linea"], "no es la línea de su raíz", linea.decode().strip())
        tokens = []
        for uno in campo(sello, "tokens", list):
            rutas = {clave: campo(uno, clave, str) for clave in ("archivo", "raiz", "cadena")}
            usados.update(rutas.values())
            tokens.append(comprobar_token(informe, {**rutas, "linea": sello["linea"]}, linea))
        informe.sellos.append({"hojas": sello["hojas"], "raiz": sello["raiz"], "tokens": tokens})
        raices = [uno["raiz_sha256"] for uno in tokens]
        if not tokens:
            informe.anotar(SIN_SELLO, sello["linea"], "ninguna autoridad de tiempo selló esta raíz")
        elif informe.anclas and not set(raices) & set(informe.anclas):
            que = "la raíz de la autoridad no es la de --ancla"
            informe.anotar(SIN_FIRMA, tokens[0]["archivo"], que, " ".join(informe.anclas), " ".join(raices))
    for nombre in sorted(set(informe.archivos) - usados):
        if not nombre.startswith("data/"):
            informe.anotar(ALTERADA, nombre, "sobra: no es parte de un expediente", "(nada)", "(está)")


def comprobar_token(informe: Informe, rutas: dict[str, str], linea: bytes) -> dict[str, str]:
    """Comprueba la huella que lleva un token y de quién son sus certificados, y pregunta por su firma."""
    pem = "-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/\n]+={0,2}\n)-----END CERTIFICATE-----\n"
    textos = [informe.leer(rutas[cual]).decode() for cual in ("raiz", "cadena")]
    raiz, *otros = (base64.b64decode(uno) for texto in textos for uno in re.findall(pem, texto))
    if not re.fullmatch(pem, textos[0]) or not re.fullmatch(f"({pem})+", textos[1]):
        raise ValueError(f"{rutas['raiz']} debe ser un certificado, y {rutas['cadena']} sólo certificados")
    token, esperada = leer_token(informe.leer(rutas["archivo"])), hashlib.sha256(linea).hexdigest()
    if token["impronta"] != esperada:
        informe.anotar(ALTERADA, rutas["archivo"], "sella otra cosa, no su raíz", esperada, token["impronta"])
    firmantes = [uno for uno in {raiz, *otros} if emisor_serie_titular(uno)[0] == token["firmante"]]
    if len(firmantes) != 1 or not token.pop("certificados") <= {raiz, *otros}:
        raise ValueError(f"los certificados de {rutas['archivo']} no son los de {rutas['cadena']}")
    informe.demostracion |= b"DEMOSTRACION" in raiz + firmantes[0]  # así se llama la autoridad de demostración
    comprobar_firma(informe, rutas, token["hora"])
    token["raiz_sha256"], token["autoridad_sha256"] = (hashlib.sha256(uno).hexdigest() for uno in (raiz, firmantes[0]))
    return {**token, "firmante": emisor_serie_titular(firmantes[0])[1], "archivo": rutas["archivo"]}


def der(datos: bytes) -> list[tuple[int, bytes, bytes]]:
    """Separa elementos DER seguidos: (etiqueta, contenido, elemento completo)."""
    elementos, inicio = [], 0
    while inicio < len(datos):
        largo, cuerpo = datos[inicio + 1], inicio + 2
        if largo >= 0x80:
            cuerpo += largo & 0x7F
            largo = int.from_bytes(datos[inicio + 2 : cuerpo], "big")
        if datos[inicio + 1] == 0x80 or cuerpo + largo > len(datos):
            raise ValueError("está truncado o no está en DER")
        elementos.append((datos[inicio], datos[cuerpo : cuerpo + largo], datos[inicio : cuerpo + largo]))
        inicio = cuerpo + largo
    return elementos


def oid(datos: bytes) -> str:
    """Escribe un identificador de objeto: 1.2.840…"""
    arcos, arco = [datos[0] // 40, datos[0] % 40], 0
    for uno in datos[1:]:
        arco = arco << 7 | uno & 0x7F
        if uno < 0x80:
            arcos, arco = [*arcos, arco], 0
    return ".".join(map(str, arcos))


def leer_token(datos: bytes) -> dict[str, Any]:
    """Lee ContentInfo → SignedData → TSTInfo (RFC 3161, 2.4.2)."""
    [(_, sobre, _)] = der(datos)
    tipo, envuelto = der(sobre)
    partes = der(der(envuelto[1])[0][1])  # versión, algoritmos, contenido, [0] certificados, firmantes
    tipo_contenido, contenido = der(partes[2][1])
    _, politica, impronta, serie, hora = der(der(der(contenido[1])[0][1])[0][1])[:5]
    algoritmo, valor = der(impronta[1])
    oids = [oid(tipo[1]), oid(tipo_contenido[1]), oid(der(algoritmo[1])[0][1])]
    if oids != ["1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4", "2.16.840.1.101.3.4.2.1"]:
        raise ValueError("no es un sello de tiempo sobre SHA-256")
    return {
        "impronta": valor[1].hex(),
        "hora": datetime.strptime(hora[1][:14].decode() + "+0000", "%Y%m%d%H%M%S%z").isoformat(),
        "serie": serie[1].hex(),
        "politica": oid(politica[1]),
        "firmante": der(der(partes[-1][1])[0][1])[1][1],  # emisor y serie de su certificado
        "certificados": {uno[2] for parte in partes[3:-1] if parte[0] == 0xA0 for uno in der(parte[1])},
    }


def emisor_serie_titular(certificado: bytes) -> tuple[bytes, str]:
    """Da el emisor y la serie de un certificado X.509, como los nombra un token, y el nombre de su titular."""
    campos = [uno for uno in der(der(der(certificado)[0][1])[0][1]) if uno[0] != 0xA0]
    nombres = [der(der(uno[1])[0][1])[1][1].decode("utf-8", "replace") for uno in der(campos[4][1])]
    return campos[2][2] + campos[0][2], ", ".join(nombres)


def comprobar_firma(informe: Informe, rutas: dict[str, str], hora: str) -> None:
    """Pregunta a openssl si la firma es de la autoridad, a la hora del sello (su certificado pudo vencer después)."""
    programa, dicho = shutil.which("openssl"), ""
    if not programa or informe.carpeta.resolve() in Path(programa).resolve().parents:
        return informe.anotar(SIN_FIRMA, rutas["archivo"], "este equipo no tiene openssl")
    orden = [str(Path(programa).resolve()), "ts", "-verify", "-token_in"]
    for opcion, cual in (("-in", "archivo"), ("-data", "linea"), ("-CAfile", "raiz"), ("-untrusted", "cadena")):
        orden += [opcion, f"./{rutas[cual]}"]  # desde la carpeta: openssl parte una ruta con espacios
    a_esa_hora = ["-partial_chain", "-attime", f"{datetime.fromisoformat(hora).timestamp():.0f}"]
    for extra in (a_esa_hora, []):  # hay ediciones de openssl sin estas opciones
        try:
            hecho = subprocess.run(orden + extra, cwd=informe.carpeta, capture_output=True, timeout=30, check=False)
        except (OSError, subprocess.SubprocessError):
            break
        dicho = (hecho.stdout + hecho.stderr).decode("utf-8", "replace").strip()
        if hecho.returncode == 0 and "Verification: OK" in dicho:
            return None
        if "Verification: FAILED" in dicho:
            return informe.anotar(ALTERADA, rutas["archivo"], f"la firma del sello no vale: {dicho[-100:]}")
    return informe.anotar(SIN_FIRMA, rutas["archivo"], f"openssl no pudo comprobar la firma: {dicho[-100:]}")


def verificar(carpeta: Path, anclas: tuple[str, ...] = ()) -> Informe:
    """Hace las cuatro comprobaciones. Lo que no se puede interpretar es un hallazgo, nunca una excepción."""
    informe = Informe(carpeta, anclas)
    try:
        comprobar_archivos(informe)
        prueba = leer_json(informe, PRUEBA, "radica-prueba/1")
        comprobar_arbol(informe, prueba)
        comprobar_historia(informe, prueba)
        comprobar_sellos(informe, prueba)
    except (KeyError, OSError) as falta:
        informe.anotar(INCOMPLETA, informe.leyendo or str(carpeta), f"no se puede leer, o le falta {falta}")
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, MemoryError) as fallo:
        informe.anotar(ALTERADA, informe.leyendo, f"no se puede interpretar ({type(fallo).__name__}: {fallo})")
    return informe


def mostrar(informe: Informe) -> None:
    """Escribe el informe para una persona."""
    lineas = [f"VEREDICTO: {informe.veredicto()}{' — sello de demostración, sin valor legal' * informe.demostracion}"]
    for uno in informe.hallazgos[:100]:
        lineas += [f"  {uno['veredicto']}: {uno['archivo']}: {uno['que']}"]
        lineas += [f"    {clave} {uno[clave]}" for clave in ("esperado", "hallado") if uno[clave]]
    lineas += [f"Expediente {informe.expediente}, {len(informe.archivos)} archivos; listas {informe.manifiesto}"]
    lineas += ["Historias, y hasta qué eslabón se sellaron por separado:"]
    lineas += [f"  {uno['nombre']}: {uno['sellado_hasta']} de {uno['eslabones']}" for uno in informe.cadenas]
    halladas = sum(map(bool, informe.evidencias.values()))
    lineas += [f"  Citan {len(informe.evidencias)} evidencias; {halladas} están aquí con esa misma huella."]
    for sello in informe.sellos:
        lineas += [f"Sello: radica/1 {sello['hojas']} {sello['raiz']}"]
        lineas += [f"  primer sello de actos fechados desde {informe.desde.get(sello['hojas'], '—')}; la autoridad:"]
        for uno in sello["tokens"]:
            lineas += [f"  {uno['hora']}  {uno['firmante']}  (serie {uno['serie']}, política {uno['politica']})"]
            lineas += [f"    huella de la autoridad {uno['autoridad_sha256']}"]
            lineas += [f"    huella de su raíz      {uno['raiz_sha256']}"]
    lineas += ["Compare las huellas: vea LEEME.txt. Lo anterior a un sello sólo lo dice el reloj de quien lo registró."]
    for linea in lineas:  # sin órdenes para la pantalla: un nombre de archivo no debe poder fingir un veredicto
        sys.stdout.write("".join(letra if letra.isprintable() else "?" for letra in linea) + "\n")


def principal() -> int:
    """Lee la orden, comprueba y dice; devuelve 0 si es VÁLIDA, 1 si no."""
    opciones = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    opciones.add_argument("carpeta", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    opciones.add_argument("--ancla", action="append", default=[], metavar="HUELLA", help="SHA-256 de la raíz esperada")
    opciones.add_argument("--json", action="store_true", help="un documento JSON en la salida")
    dadas = opciones.parse_args()
    anclas = tuple(re.sub("[: ]", "", uno).lower() for uno in dadas.ancla)
    if not all(re.fullmatch("[0-9a-f]{64}", uno) for uno in anclas):
        opciones.error("--ancla: una huella SHA-256 son 64 cifras hexadecimales")
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    informe = verificar(dadas.carpeta, anclas)
    if dadas.json:
        datos = {**vars(informe), "veredicto": informe.veredicto(), "carpeta": str(dadas.carpeta)}
        sys.stdout.write(json.dumps(datos) + "\n")
    else:
        mostrar(informe)
    return 0 if informe.veredicto() == VALIDA else 1


if __name__ == "__main__":
    sys.exit(principal())
