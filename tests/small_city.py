"""A city small enough to read: one street, two operators, three premises, two leases, four elders.

`write` puts its files into a directory, `load` loads them, `refused` gives the lines of a refusal in English.
Elder A is Grandma Li, 82; the ID numbers are made up (area code 430298 belongs to nobody).
"""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.utils import translation

from ledger.files.problems import FileRefused
from ledger.files.resident_ids import check_character
from vouchers.city.operations import Loaded, load_city

AT = datetime(2026, 7, 1, 1, 0, tzinfo=UTC)


def id_number(born: str, serial: int = 1) -> str:
    """A sound number for a birth date written YYYYMMDD."""
    body = f"430298{born}{serial:03d}"
    return body + check_character(body)


LI, WANG, ZHAO, QIAN = (id_number(born) for born in ("19440203", "19501231", "19610615", "19380808"))

FILES = {
    "divisions": """\
code,name,level,parent
4302,City,city,
430211,District,district,4302
430211001,Street,street,430211
430211001001,Home,community,430211001
""",
    "operators": """\
code,name,uscc,phone,filing_no,safety_checked_on,stars,suspended_on
OP01,Canteen One,52430298MJJ490219G,0731-20000001,F1,2026-05-23,2,
OP02,Canteen Two,,,,2026-04-30,,
""",
    "premises": """\
code,name,former_use,owner,owner_kind,division,address,longitude,latitude,floor_area_m2,condition,stage,market_rent
PR01,Old plant,plant,Owner,government,430211001001,Road 1,113.097937,27.850446,688,ready,operating,12000.00
PR02,Old hall,hall,Owner,state_firm,430211001001,Road 2,,,,ready,leased,
PR03,Old clinic,clinic,Owner,government,430211001001,Road 3,,,,repair,surveyed,
""",
    "leases": """\
code,premises,operator,starts_on,ends_on,monthly_rent,rent_free_until,offset_rate,offset_cap,carry_months
LS01,PR01,OP01,2025-02-01,2035-01-31,5333.50,,0.80,0.333,0
LS02,PR02,OP02,2026-08-01,2030-12-31,2000.00,2026-09-15,1.00,0.50,3
""",
    "services": """\
code,name,category,unit,daily_limit
SV01,Lunch,canteen,meal,2
SV02,Bath,home_care,visit,
""",
    "offers": """\
premises,service
PR01,SV01
PR01,SV02
PR02,SV01
""",
    "service_prices": """\
service,valid_from,valid_until,min_age,max_age,list_price,government,concession,charity
SV01,2026-01-01,,60,79,15.00,2.00,3.00,2.00
SV01,2026-01-01,,80,,15.00,4.00,2.00,2.00
SV02,2026-01-01,2026-12-31,60,,120.00,,20.00,
""",
    "programmes": """\
code,name,settlement,lease,scope,face_value,divisible,per_elder,cadence,starts_on,ends_on,valid_days,max_share,min_spend,categories,min_age,min_ability,any_of,divisions
PG01,Rent,offset,LS01,premises,60.00,yes,1,monthly,2026-07-01,2028-12-31,,1,,canteen;home_care,60,,,430211001
PG02,Meals,payout,,city,5.00,no,4,monthly,2026-07-01,2028-12-31,,,2.00,canteen,80,,,
""",
    "elders": f"""\
code,name,id_number,division,phone,ability_level,categories,died_on
EL01,李桂兰,{LI},430211001001,19900000001,2,living_alone;disabled,
EL02,王大明,{WANG},430211001001,,,,
EL03,赵秀英,{ZHAO.replace("X", "x")},430211001001,0731-2000003,0,veteran,
EL04,钱福,{QIAN},430211001001,19900000004,4,,
""",
}


def write(directory: Path, *, only: str = "", **texts: str) -> Path:
    """The files of the small city, those in `texts` in place of its own; `only` leaves out all others."""
    directory.mkdir(exist_ok=True)
    for old in directory.iterdir():
        old.unlink()
    for name, text in (FILES | texts).items():
        if not only or name in only.split():
            (directory / f"{name}.csv").write_text(text, encoding="utf-8")
    return directory


def changed(name: str, old: str, new: str) -> str:
    """One file's text with `old`, which stands in it, replaced."""
    assert old in FILES[name], f"{old!r} does not stand in {name}"
    return FILES[name].replace(old, new)


def load(directory: Path, *, at: datetime = AT, **options) -> Loaded:
    return load_city(directory=directory, by="test", at=at, **options)


def tallies(loaded: Loaded) -> dict[str, tuple[int, int, int]]:
    """new, changed, unchanged by file."""
    return {draft.file: (draft.new, draft.changed, draft.unchanged) for draft in loaded.files}


def refused(directory: Path, **options) -> list[str]:
    """The lines of the refusal; the last one counts them."""
    with translation.override("en"):
        with pytest.raises(FileRefused) as refusal:
            load(directory, **options)
        return str(refusal.value).splitlines()


def day(text: str) -> date:
    return date.fromisoformat(text)
