"""Things of a provider, one of each kind that an address names: what a stranger to it must never reach.

A room that adds an argument to its addresses adds here how to make such a thing, or to `WORDS` when it names none.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.cartera.models import ConceptoPago, PagoFactura
from radica.conciliacion.models import Compromiso, Conciliacion
from radica.conciliacion.states import EstadoConciliacion
from radica.custodia.models import Blob, Pieza
from radica.custodia.verificar import PERSONA, open_verification
from radica.custodia.verificar_base import Alcance
from radica.entidades import contratos
from radica.entidades.models import Prestador
from radica.entidades.tarifarios import Condiciones, FilaPrecio
from radica.entidades.tarifarios import cargar as cargar_tarifario
from radica.facturas.models import Carga, Documento, Factura, NoReconocido, TipoDocumento
from radica.glosas.bandeja.work_models import Decision, Plantilla, ReglaAsignacion
from radica.glosas.correo.mail_models import ClaseCorreo, Correo
from radica.glosas.respuesta.answer_draft import Borrador
from radica.glosas.respuesta.answering import save_answer
from radica.glosas.respuesta.templates_store import crear_version
from radica.jobs.models import Job, Lane
from radica.portales.models import CuentaPortal
from radica.prejuridico.models import DocumentoPersona, Expediente, TipoDocumentoPersona, Via
from radica.prejuridico.states import EstadoExpediente
from radica.radicacion.models import Envio, EnvioFactura, Intento
from radica.radicacion.states import Acto, EstadoEnvio, EstadoIntento
from radica.users.models import Acceso, AccesoExcepcional, ClaseTarea, Rol, Tarea
from tests import factories, glosas_seed
from tests.factories import NOW
from tests.plugins.web import House

# Arguments that name no thing of a provider.
WORDS: dict[str, int | str] = {
    "number": 1,
    "valor": 1,
    "transicion_id": 1,
    "ronda": 1,
    "codigo": "FEV-FALTA",
    "radicacion.registrar.acto": "radicada",
    "radicacion.resolver.acto": "tarde",
    "glosas.registrar_acto.acto": "decision",
}


def things_of(house: House, provider: int) -> dict[str, int | str]:
    """Make one thing of each kind for a provider and return their ids by the name of the argument."""
    user = house.person(f"de{provider}@otra.example", {provider: (Rol.FACTURACION, Rol.ADMINISTRACION)})
    with house.database.write() as session:
        acceso = session.scalars(select(Acceso.id).where(Acceso.usuario_id == user)).first()
        owner = session.get(Prestador, provider)
        assert acceso is not None
        assert owner is not None
        payer = factories.pagador(session)
        invoice = factories.factura(session, owner, payer)
        ids: dict[str, int | str] = {
            "usuario_id": user,
            "acceso_id": acceso,
            "factura_id": invoice.id,
            "prestador_id": provider,
            "verificacion_id": _verification(session, provider),
            **WORDS,
        }
        ids |= (
            _papers(session, invoice) | _filing(session, invoice) | _rest(session, invoice) | _meeting(session, invoice)
        )
        ids |= _agreement(session, invoice)
        return ids | _objections(session, invoice) | _dossier(session, invoice)


def _agreement(session: Session, invoice: Factura) -> dict[str, int]:
    assert invoice.pagador_id is not None
    contract = contratos.crear(
        session, prestador_id=invoice.prestador_id, pagador_id=invoice.pagador_id, numero="CT-1", modalidad="04",
        desde=NOW.date(), actor="prueba", at=NOW,
    )  # fmt: skip
    terms, price = Condiciones(NOW.date()), FilaPrecio("890201", None, "", 100)
    loaded, _ = cargar_tarifario(
        session, contract, terms, [price], prestador_id=invoice.prestador_id, sha256="a" * 64, actor="prueba", at=NOW
    )
    return {"contrato_id": contract.id, "tarifario_id": loaded.id}


def _dossier(session: Session, invoice: Factura) -> dict[str, int | str]:
    piece = session.scalars(select(Pieza).where(Pieza.prestador_id == invoice.prestador_id)).first()
    assert piece is not None
    order = Expediente(
        prestador_id=invoice.prestador_id,
        pagador_id=invoice.pagador_id,
        numero=1,
        via=Via.EJECUTIVO,
        corte=NOW.date(),
        estado=EstadoExpediente.SOLICITADO,
        version=0,
        solicitado_at=NOW,
        solicitado_por="prueba",
    )
    brought = DocumentoPersona(
        prestador_id=invoice.prestador_id,
        tipo=TipoDocumentoPersona.PODER,
        fecha=NOW.date(),
        pieza_id=piece.id,
        cargado_at=NOW,
        cargado_por="prueba",
    )
    return {"expediente_id": _added(session, order), "aportado_id": _added(session, brought)}


def _verification(session: Session, provider: int) -> int:
    scope = Alcance(factura="FE1", prestador_id=provider, casos=("factura:1",))
    return open_verification(session, scope, origen=PERSONA, actor="prueba", at=NOW)


def _added(session: Session, row: Any) -> int:
    session.add(row)
    session.flush()
    number: int = row.id
    return number


def _papers(session: Session, invoice: Factura) -> dict[str, int]:
    sha = f"{invoice.id:064x}"
    session.add(Blob(sha256=sha, bytes=10, stored_at=NOW))
    session.flush()
    paper = Documento(
        prestador_id=invoice.prestador_id,
        factura_id=invoice.id,
        sha256=sha,
        bytes=10,
        nombre="soporte.pdf",
        tipo=TipoDocumento.SOPORTE,
        sigla="HEV",
        media_type="application/pdf",
        cargado_at=NOW,
        cargado_por="prueba",
    )
    piece = Pieza(
        prestador_id=invoice.prestador_id,
        case_key=invoice.case_key,
        sha256=sha,
        bytes=10,
        nombre="acuse.pdf",
        clase="acuse_document",
        media_type="application/pdf",
        origen="persona",
        sellada_at=NOW,
        sellada_por="prueba",
    )
    paper_id, piece_id = _added(session, paper), _added(session, piece)
    return {
        "documento_id": paper_id,
        "documento.thing_id": paper_id,
        "pieza_id": piece_id,
        "evidencia.thing_id": piece_id,
    }


def _filing(session: Session, invoice: Factura) -> dict[str, int]:
    provider, payer = invoice.prestador_id, invoice.pagador_id
    assert payer is not None
    lane = _added(session, Lane(name=f"cuenta-{invoice.id}"))
    account = _added(
        session,
        CuentaPortal(
            prestador_id=provider,
            pagador_id=payer,
            arquetipo="p2_cuentas_medicas",
            base_url="http://127.0.0.1:9",
            usuario="bot",
            clave_cifrada=b"x",
            lane_id=lane,
        ),
    )
    envio = Envio(
        prestador_id=provider,
        pagador_id=payer,
        cuenta_id=account,
        acto=Acto.RADICACION,
        ronda=1,
        canal="bot",
        valor=invoice.valor,
        estado=EstadoEnvio.PREPARADO,
        version=0,
        creado_at=NOW,
        creado_por="prueba",
    )
    envio_id = _added(session, envio)
    _added(
        session,
        EnvioFactura(envio_id=envio_id, factura_id=invoice.id, acto=Acto.RADICACION, ronda=1, valor=invoice.valor),
    )
    job = _added(session, Job(kind="radicar", prestador_id=provider, lane_id=lane, subject=f"envio:{envio_id}"))
    attempt = Intento(
        prestador_id=provider,
        envio_id=envio_id,
        numero=1,
        job_id=job,
        token=1,
        marker=f"m{invoice.id}",
        host="prueba",
        carpeta="intento",
        estado=EstadoIntento.ESPERA_PERSONA,
        iniciado_at=NOW,
    )
    shown = AccesoExcepcional(
        prestador_id=provider,
        usuario_id=session.scalars(select(Acceso.usuario_id).where(Acceso.prestador_id == provider)).first(),
        case_key=invoice.case_key,
        motivo="Responder hoy a la Superintendencia",
        desde=NOW,
        hasta=NOW,
    )
    asked = {"factura.caso_id": invoice.id, "envio.caso_id": envio_id}
    asked["acceso_excepcional_id"] = _added(session, shown)
    return asked | {"cuenta_id": account, "envio_id": envio_id, "job_id": job, "intento_id": _added(session, attempt)}


def _rest(session: Session, invoice: Factura) -> dict[str, int]:
    provider = invoice.prestador_id
    task = Tarea(
        prestador_id=provider,
        clase=ClaseTarea.CONFIRMAR_RESULTADO,
        case_key=invoice.case_key,
        titulo="Confirmar",
        creada_at=NOW,
    )
    load = Carga(prestador_id=provider, origen="web", actor="prueba", iniciada_at=NOW)
    tray = NoReconocido(
        prestador_id=provider,
        duenio=f"prestador:{provider}",
        nombre="raro.xml",
        codigo="no_es_nada",
        motivo="No se reconoce.",
        recibido_at=NOW,
    )
    own_tray = NoReconocido(
        usuario_id=session.scalars(select(Acceso.usuario_id).where(Acceso.prestador_id == provider)).first(),
        duenio="usuario:0",
        nombre="suyo.xml",
        codigo="no_es_nada",
        motivo="No se reconoce.",
        recibido_at=NOW,
    )
    tray_id = _added(session, tray)
    return {
        "tarea_id": _added(session, task),
        "carga_id": _added(session, load),
        "no_reconocido_id": tray_id,
        "fila_id": tray_id,
        "bandeja_id": _added(session, own_tray),
    }


def _objections(session: Session, invoice: Factura) -> dict[str, int]:
    """Make a glosa with its answer, a devolución, and a notice with a line that was not matched."""
    filed = glosas_seed.filed_invoice(session, invoice.prestador_id)
    line, whole = glosas_seed.objected(session, filed), glosas_seed.returned(session, filed)
    draft = Borrador(Decision.DEFENDER, glosas_seed.TEXTO)
    answer = save_answer(session, line, draft, actor="prueba", at=NOW)
    notice, loose = glosas_seed.notice(session, invoice.prestador_id)
    return {
        "objecion_id": line.id,
        "glosa.objecion_id": line.id,
        "devolucion.objecion_id": whole.id,
        "respuesta_id": answer.id,
        "notificacion_id": notice.id,
        "linea_id": loose.id,
        "regla_id": _added(session, _rule(session, invoice)),
        "plantilla_id": _template(session, invoice).id,
        "correo_id": _mail(session, invoice),
    }


def _rule(session: Session, invoice: Factura) -> ReglaAsignacion:
    user = session.scalars(select(Acceso.usuario_id).where(Acceso.prestador_id == invoice.prestador_id)).first()
    assert user is not None
    return ReglaAsignacion(prestador_id=invoice.prestador_id, orden=1, usuario_id=user)


def _template(session: Session, invoice: Factura) -> Plantilla:
    return crear_version(
        session, prestador_id=invoice.prestador_id, clave="tarifa", nombre="Tarifa", texto="Es la pactada.",
        respuesta="RE9602", actor="prueba", at=NOW,
    )  # fmt: skip


def _mail(session: Session, invoice: Factura) -> int:
    sha = f"{invoice.id + 7_000_000:064x}"
    session.add(Blob(sha256=sha, bytes=10, stored_at=NOW))
    session.flush()
    row = Correo(
        prestador_id=invoice.prestador_id,
        message_id="1@example.com",
        sha256=sha,
        bytes=10,
        remitente="eps@example.com",
        asunto="Glosas",
        llegada_at=NOW,
        leido_at=NOW,
        clase=ClaseCorreo.GLOSA,
        razones=["El asunto habla de glosas."],
    )
    return _added(session, row)


def _meeting(session: Session, invoice: Factura) -> dict[str, int]:
    assert invoice.pagador_id is not None
    meeting = Conciliacion(
        prestador_id=invoice.prestador_id,
        pagador_id=invoice.pagador_id,
        numero=1,
        fecha_corte=NOW.date(),
        estado=EstadoConciliacion.CONVOCADA,
        version=0,
        creada_at=NOW,
        creada_por="prueba",
    )
    meeting_id = _added(session, meeting)
    promise = Compromiso(
        prestador_id=invoice.prestador_id, conciliacion_id=meeting_id, fecha=NOW.date(), valor=1, nota=""
    )
    paid = PagoFactura(
        prestador_id=invoice.prestador_id,
        factura_id=invoice.id,
        fecha=NOW.date(),
        valor=1,
        concepto=ConceptoPago.PAGO,
        registrado_at=NOW,
        registrado_por="prueba",
    )
    found = {"conciliacion_id": meeting_id, "compromiso_id": _added(session, promise)}
    return found | {"pago_id": _added(session, paid)}
