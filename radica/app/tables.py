"""All tables in one place, for migrations and for tests that compare them with the models.

Invariant: importing this module registers every model of the house in `Base.metadata`.
"""

from __future__ import annotations

from radica.audit import models as audit_models
from radica.cartera import models as cartera_models
from radica.conciliacion import models as conciliacion_models
from radica.custodia import check_models as custodia_check_models
from radica.custodia import models as custodia_models
from radica.custodia import seal_models as custodia_seal_models
from radica.custodia import text_models as custodia_text_models
from radica.entidades import contratos_models
from radica.entidades import models as entidades_models
from radica.facturas import models as facturas_models
from radica.facturas import validacion_models
from radica.glosas import models as glosas_models
from radica.glosas.bandeja import work_models as glosas_work_models
from radica.glosas.correo import mail_models as correo_models
from radica.jobs import models as jobs_models
from radica.kernel.db import Base
from radica.portales import models as portales_models
from radica.prejuridico import models as prejuridico_models
from radica.radicacion import linaje_models
from radica.radicacion import models as radicacion_models
from radica.users import models as users_models

MODULES = (
    audit_models,
    cartera_models,
    conciliacion_models,
    contratos_models,
    correo_models,
    custodia_check_models,
    custodia_models,
    custodia_seal_models,
    custodia_text_models,
    entidades_models,
    facturas_models,
    glosas_models,
    glosas_work_models,
    jobs_models,
    linaje_models,
    portales_models,
    prejuridico_models,
    radicacion_models,
    users_models,
    validacion_models,
)

metadata = Base.metadata
