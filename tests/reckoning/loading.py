"""A directory's files into a city, or over what it knows already."""

from datetime import date

from . import terms


def load(city, directory):
    """Load or update whatever files the directory holds. A row known already changes only what the
    contract lets change: an end, a check, a suspension, an elder's entries."""
    for name, make in (("divisions", terms.division), ("services", terms.service)):
        for row in terms.rows(directory / f"{name}.csv"):
            getattr(city, name)[row["code"]] = make(row)
    for row in terms.rows(directory / "operators.csv"):
        operator = city.operators.setdefault(row["code"], terms.Operator(row["code"], row["name"]))
        if row["safety_checked_on"]:
            operator.checked_on.add(date.fromisoformat(row["safety_checked_on"]))
        if row["suspended_on"]:
            since = date.fromisoformat(row["suspended_on"])
            if not any(start <= since < end for start, end in operator.suspended):
                operator.suspended.append([since, terms.FAR])
    city.premises |= {row["code"] for row in terms.rows(directory / "premises.csv")}
    for name, make in (("leases", terms.lease), ("programmes", terms.programme)):
        for row in terms.rows(directory / f"{name}.csv"):
            new, known = make(row), getattr(city, name)
            known.setdefault(new.code, new).ends_on = new.ends_on
    for row in terms.rows(directory / "offers.csv"):
        city.offers.add((row["premises"], row["service"]))
    for row in terms.rows(directory / "service_prices.csv"):
        new, prices = terms.price(row), city.prices[row["service"]]
        same = [p for p in prices if (p.valid_from, p.min_age) == (new.valid_from, new.min_age)]
        if same:
            same[0].valid_until = new.valid_until
        else:
            prices.append(new)
    for row in terms.rows(directory / "elders.csv"):
        city.put_elder(terms.elder(row))
