"""The tablets of the operator's counters: which may take vouchers, a code for a new one, a stop for a lost one."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods

from ledger.files.write import As, Field
from marketplace.accounts.models import Role
from marketplace.web import scope
from marketplace.web.access import roles
from marketplace.web.exports import Sheet, export
from marketplace.web.forms import Marked, row_number
from providers.models import Premises
from vouchers.models import Redemption, Terminal
from vouchers.terminals.operations import ENROLMENT_MINUTES, give_code, revoke

COLUMNS = (
    Field(gettext_lazy("Name"), width=20),
    Field(pgettext_lazy("of a tablet", "Place"), width=10),
    Field(gettext_lazy("Premises"), width=24),
    Field(gettext_lazy("Enrolled"), As.TIME, width=20),
    Field(gettext_lazy("Last took"), As.TIME, width=20),
    Field(gettext_lazy("State"), width=12),
)


class PlaceField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.code} {obj.name}"


class CodeForm(Marked):
    premises = PlaceField(
        Premises.objects.none(),
        label=pgettext_lazy("of a tablet", "Place"),
        error_messages={"required": gettext_lazy("Choose the place")},
    )
    name = forms.CharField(
        max_length=60,
        label=gettext_lazy("What people call it"),
        help_text=gettext_lazy("Such as counter 1. It stands on the tablet and on the shift's report."),
        error_messages={"required": gettext_lazy("Give it a name")},
    )

    def __init__(self, *args: Any, places: QuerySet[Premises], **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["premises"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = places
        field.empty_label = None


@roles(Role.OPERATOR_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def terminals(request: HttpRequest) -> HttpResponseBase:
    """This page will list the tablets of the operator's places, give out a code for one, or stop one."""
    places = scope.own_places(request.user, timezone.localdate())
    rows = _own(places).order_by("revoked_at", "premises__code", "id")
    if (file := export(request, Sheet("tablets", "tablets", COLUMNS, _lines(rows)))) is not None:
        return file
    form = CodeForm(places=places)
    code = stopped = None
    if request.POST.get("act") == "stop":
        stopped = get_object_or_404(_own(places), pk=row_number(request.POST.get("terminal", "")))
        revoke(of=stopped, by=request.user, at=timezone.now())
    elif request.method == "POST":
        form = CodeForm(request.POST, places=places)
        if form.is_valid():
            code = give_code(
                premises=form.cleaned_data["premises"],
                name=form.cleaned_data["name"],
                by=request.user,
                at=timezone.now(),
            )
    return render(
        request,
        "office/terminals.html",
        {
            "form": form,
            "code": code and f"{code[:5]} {code[5:]}",
            "code_for": form.cleaned_data["name"] if code else "",
            "minutes": ENROLMENT_MINUTES,
            "address": request.build_absolute_uri(reverse("counter")),
            "stopped": stopped,
            "terminals": rows,
            "trail": [(_("Office"), reverse("office:today")), (_("Tablets"), None)],
        },
    )


def _own(places: QuerySet[Premises]) -> QuerySet[Terminal]:
    """With `last_at`, when it last took something."""
    of_it = Redemption.objects.filter(key_scope=Concat(Value("terminal:"), Cast(OuterRef("pk"), CharField())))
    return (
        Terminal.objects.filter(premises__in=places)
        .select_related("premises")
        .annotate(last_at=Subquery(of_it.order_by("-id").values("recorded_at")[:1]))
    )


def _lines(rows: Iterable[Any]) -> Iterable[list[Any]]:
    for one in rows:
        state = _("stopped") if one.revoked_at else _("in use")
        yield [one.name, one.premises.code, one.premises.name, one.enrolled_at, one.last_at, state]
