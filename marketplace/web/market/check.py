"""The last look before anything is set aside: what, when, where, what vouchers pay, what is left to pay."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST
from oscar.core.loading import get_model

from ledger.journal.queries import day_of
from ledger.money import ZERO
from marketplace.fulfilment.operations import Placer
from marketplace.offerings.baskets import address_of, open_basket, ready
from marketplace.offerings.models import ElderBasket
from marketplace.shop.checkout.views import PaymentDetailsView
from marketplace.web.family.acting import acting_of, elder_of, for_elder
from providers.models import OrderTerms
from vouchers.redemption.preview import Outlook, Wanted, preview

Basket = get_model("basket", "Basket")
MOST_OF_ONE = 6


@dataclass(frozen=True, slots=True)
class Checked:
    """One line with what would pay it now: `outlook` holds a split, or why it is refused."""

    line: Any
    outlook: Outlook
    address: str
    several: bool

    @property
    def wish(self) -> Any:
        return self.line.wish


def checked(care: ElderBasket) -> list[Checked]:
    """The lines of the basket, each with its split as the vouchers would pay them one after another."""
    lines = ready(care)
    outlooks = preview(
        elder=care.elder,
        wanted=[
            Wanted(
                line.wish.offer.premises.code,
                line.wish.offer.service.code,
                line.quantity,
                day_of(line.wish.starts_at),
            )
            for line in lines
        ],
    )
    return [
        Checked(
            line,
            outlook,
            address_of(care, line.wish),
            line.wish.offer.order_terms.manner == OrderTerms.Manner.SITTING,
        )
        for line, outlook in zip(lines, outlooks, strict=True)
    ]


class CheckView(PaymentDetailsView):
    """This page will show what is about to be ordered, and order it."""

    http_method_names = ["get", "head", "post"]

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        acting = acting_of(request)
        self.placer = Placer.of(acting)
        self.care = self._care(request)
        if self.care is not None:
            ready(self.care)
            request.basket = self.care.basket
        return super().dispatch(request, *args, **kwargs)

    def _care(self, request: Any) -> ElderBasket | None:
        elder = elder_of(request)
        if request.method != "POST":
            return open_basket(user=request.user, elder=elder)
        # By its key, also one that a first press of the button has frozen or ordered already.
        mine = ElderBasket.objects.filter(user=request.user, elder=elder).select_related(
            "basket", "elder", "user"
        )
        try:
            return mine.filter(key=request.POST.get("key", "")).first()
        except (ValueError, ValidationError):  # no key of ours
            return None

    def get(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.care is None or not self.care.basket.all_lines():
            return self.render_to_response({"lines": [], "view": self})
        return super().get(request, *args, **kwargs)

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.care is None:
            raise Http404
        return self.handle_place_order_submission(request)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        lines = checked(self.care)
        paid = sum((one.outlook.split.vouchers for one in lines if one.outlook.split), ZERO)
        left = sum((one.outlook.split.self_pay for one in lines if one.outlook.split), ZERO)
        return {
            "view": self,
            "lines": lines,
            "key": self.care.key,
            "vouchers": paid,
            "self_pay": left,
            "total": paid + left,
            "refused": any(one.outlook.refusal for one in lines),
            "error": kwargs.get("error", ""),
            "now": timezone.now(),
            "most": MOST_OF_ONE,
        }


check = for_elder(order=True)(CheckView.as_view())


@for_elder(order=True)
@require_POST
def line(request: HttpRequest, line: int) -> HttpResponse:
    """This form will take one line out of the basket, or make it one more or fewer."""
    care = open_basket(user=request.user, elder=elder_of(request))
    if care is None:
        raise Http404
    found = get_object_or_404(care.basket.lines, pk=line)
    change = {"more": 1, "fewer": -1}.get(request.POST.get("do", ""), -found.quantity)
    found.quantity = min(found.quantity + change, MOST_OF_ONE)
    if found.quantity < 1:
        found.delete()
    else:
        found.save()
    return redirect("market:check")
