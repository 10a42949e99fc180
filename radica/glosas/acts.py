"""Every act on a glosa or devolución, in one place to import from; each is one transaction of the caller.

Invariant: an act is a move through `audit.advance()`, one row of `actos`, the money, the next term and its tasks, all
together or not at all. Norms: Ley 1438/2011 art. 57, Res. 2284/2023 art. 6 and Anexo Técnico 3.
"""

from __future__ import annotations

from radica.glosas.acta_effects import ActaLinea, apply_acta
from radica.glosas.births import NuevaDevolucion, NuevaGlosa, formulate_all
from radica.glosas.births_devolucion import formulate_devolucion
from radica.glosas.corrections import annul, correct_notice_date, reopen
from radica.glosas.decisions import accept_rest, decide, decide_devolucion, declare_final
from radica.glosas.respuesta.presented import register_answers_presented

__all__ = [
    "ActaLinea",
    "NuevaDevolucion",
    "NuevaGlosa",
    "accept_rest",
    "annul",
    "apply_acta",
    "correct_notice_date",
    "decide",
    "decide_devolucion",
    "declare_final",
    "formulate_all",
    "formulate_devolucion",
    "register_answers_presented",
    "reopen",
]
