"""A tablet enrols itself by a code from the office."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router

from marketplace.api import answers, limits, schemas
from marketplace.api.auth import slow_down
from marketplace.api.describe import problems
from marketplace.web.questions import address_of
from vouchers.terminals.operations import enrol

router = Router(tags=["terminals"])


@router.post(
    "enrolments",
    auth=None,  # the code is what is shown; who tries many is slowed down by address
    response={201: schemas.EnrolmentOut, **problems(400, 413, 422, 429, 500, 503)},
    operation_id="enrol",
    summary="Enrol a terminal by a code from the office",
)
def enrol_terminal(request: HttpRequest, body: schemas.EnrolmentIn) -> HttpResponse:
    """The code is good once, for a quarter of an hour. The token is shown this once."""
    slow_down(limits.ENROLMENTS.wait(address_of(request)))
    enrolled = enrol(code=body.code, at=timezone.now())
    content = {
        "token": enrolled.token,
        "premises": enrolled.terminal.premises.code,
        "name": enrolled.terminal.name,
    }
    return answers.reply(content, status=201)
