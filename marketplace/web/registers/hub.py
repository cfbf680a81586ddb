"""The first page of the registers: which there are, and how much stands in each."""

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marketplace.web import scope
from marketplace.web.access import BUREAU, REGISTER_KEEPERS, REGISTER_READERS, plays, roles
from marketplace.web.registers import programmes
from marketplace.web.registers.premises import MARKS
from providers.models import Operator, Premises, Service


@roles(*REGISTER_READERS)
@require_safe
def hub(request: HttpRequest) -> HttpResponse:
    """This page will lead to each register, and show the premises by stage."""
    user, today = request.user, timezone.localdate()
    seen = scope.premises(user)
    stages = dict(seen.order_by().values_list("stage").annotate(Count("id")))
    leases = scope.leases(user)
    tiles: list[tuple[str, str, str, int | str, str]] = [
        ("registers:premises", _("Premises"), "building", sum(stages.values()), _("Public property from survey to operation, and where it went")),
        ("registers:leases", _("Leases"), "receipt", leases.filter(starts_on__lte=today, ends_on__gte=today).count(), _("Running leases with their terms by date and rent schedule")),
        ("registers:operators", _("Operators"), "person-badge", Operator.objects.filter(id__in=leases.values("operator")).count() if not scope.sees_whole_city(user) else Operator.objects.count(), _("Safety checks, suspensions, leases")),
        ("registers:services", _("Services"), "list", Service.objects.count(), _("Prices by date and age, and where each is offered")),
        ("registers:programmes", _("Programmes"), "ticket-perforated", programmes.seen(user).filter(ends_on__gte=today).count(), _("Terms of vouchers; design a new one and see what it would do")),
    ]  # fmt: skip
    if plays(user, REGISTER_KEEPERS):
        about = _("Deaths, moves and doubles; files of elders")  # a million are not counted for a tile
        tiles.append(("registers:elders", _("Elders"), "people", "", about))
    return render(
        request,
        "registers/hub.html",
        {
            "tiles": [
                {"href": reverse(name), "label": label, "icon": icon, "n": n, "about": about}
                for name, label, icon, n, about in tiles
            ],
            "stages": [(stage, stage.label, *MARKS[stage], stages.get(stage, 0)) for stage in Premises.Stage],
            "loading": plays(user, REGISTER_KEEPERS, city=True),
            "bureau": plays(user, BUREAU),
            "trail": [(_("Registers"), None)],
        },
    )
