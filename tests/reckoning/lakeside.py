"""The terms of Lakeside, a made-up town whose terms are as unlike the sample city's as the rules allow.

Each table is the text of one file; what a row is there for is said beside it. People, firms and places
are invented; only the city and its district are real names.
"""

import csv

DIVISIONS = """\
code,name,level,parent
360400,九江市,city,
360403,浔阳区,district,360400
360403901,湖滨样例街道,street,360403
360403901001,湖滨样例社区1,community,360403901
360403901002,湖滨样例社区2,community,360403901
360403902,荷塘样例街道,street,360403
360403902001,荷塘样例社区1,community,360403902
360403902002,荷塘样例社区2,community,360403902
360403903,苇岸样例街道,street,360403
360403903001,苇岸样例社区1,community,360403903
"""

# code, name, check: OPE's check is 365 days old on 2026-02-10 and renewed on 2026-03-05 (update-03);
# OPD is suspended from 2026-02-20 (update-02).
OPERATORS = [
    ("OPA", "样例湖光养老服务有限公司", "2025-11-30"),
    ("OPB", "样例荷风照料中心", "2025-06-15"),
    ("OPC", "样例苇岸助餐有限公司", "2025-09-01"),
    ("OPD", "样例鸥鹭康养有限公司", "2025-08-08"),
    ("OPE", "样例月汀社区服务中心", "2025-02-10"),
]

# code, premises' stage; PM08 and PM09 have no lease.
PREMISES = [(f"PM{n:02d}", "operating") for n in (1, 2, 3, 4, 5, 6, 7)] + [
    ("PM08", "listed"),
    ("PM09", "surveyed"),
    ("PM10", "operating"),
]

# LK1 is a beginning of LK10 (bank lines). LK2 ends in mid-month and LK3 follows on the same premises.
# LK7 never owes rent here. LK8 earns in January alone, then has it reversed. LK6 is prolonged by update-03.
LEASES = """\
code,premises,operator,starts_on,ends_on,monthly_rent,rent_free_until,offset_rate,offset_cap,carry_months,basis,decision_no
LK1,PM01,OPA,2025-06-01,2030-05-31,1500.00,,0.90,0.15,1,relief,样例减免〔2025〕1号
LK10,PM02,OPA,2025-09-15,2031-09-14,2333.33,2026-01-20,1.10,0.25,3,relief,样例减免〔2025〕10号
LK2,PM03,OPB,2025-01-01,2026-02-14,2750.50,,0.75,0.50,0,purchase,样例采购〔2025〕2号
LK3,PM03,OPC,2026-02-15,2032-02-14,2600.00,,1.00,0.40,2,,
LK4,PM04,OPC,2025-03-01,2035-02-28,999.99,,0.85,0.333,0,relief,样例减免〔2025〕4号
LK5,PM05,OPD,2025-04-01,2030-03-31,3345.67,,1.25,0.12,2,relief,样例减免〔2025〕5号
LK6,PM06,OPE,2025-05-01,2026-03-31,1888.88,,0.95,0.50,1,relief,样例减免〔2025〕6号
LK7,PM07,OPB,2026-01-16,2036-01-15,4200.00,2026-05-31,0.80,0.70,1,purchase,样例采购〔2026〕7号
LK8,PM10,OPE,2025-12-01,2028-11-30,1200.00,,1.00,0.20,3,relief,样例减免〔2025〕8号
"""

# SVI has a price in 2026-01-05..2026-03-20 only, from 65 on; SVJ is wholly paid for; SVK costs nobody anything.
SERVICES = """\
code,name,category,unit,daily_limit
SVA,午餐,canteen,meal,2
SVB,早餐,canteen,meal,1
SVC,助浴,home_care,visit,1
SVD,保洁,home_care,hour,5
SVE,康复训练,rehabilitation,visit,2
SVF,日间托养,day_care,day,1
SVG,棋牌书画,recreation,hour,
SVH,扶手安装,adaptation,item,3
SVI,送餐,delivery,visit,2
SVJ,健康讲座,recreation,visit,1
SVK,邻里茶会,recreation,visit,
"""

OFFERS = {
    "PM01": "SVA SVB SVC SVD SVG SVH SVJ",
    "PM02": "SVA SVB SVE SVF SVG SVI",
    "PM03": "SVA SVB SVC SVD SVE SVI",
    "PM04": "SVA SVB SVG SVI SVJ SVK",
    "PM05": "SVC SVD SVE SVF",
    "PM06": "SVE SVF SVG SVH",
    "PM07": "SVA SVB SVC SVG SVK",
    "PM08": "SVA SVG",
    "PM10": "SVA SVC SVD SVG",
}

# SVA changes on 2026-02-11.
SERVICE_PRICES = """\
service,valid_from,valid_until,min_age,max_age,list_price,government,concession,charity
SVA,2025-01-01,2026-02-10,60,79,18.00,2.00,3.00,1.00
SVA,2026-02-11,,60,79,19.99,2.50,3.00,1.16
SVA,2025-01-01,2026-02-10,80,,18.00,4.00,3.00,1.00
SVA,2026-02-11,,80,,19.99,5.00,3.00,1.33
SVB,2025-01-01,,60,,6.66,0.00,0.00,0.00
SVC,2025-01-01,,60,,98.00,0.00,0.00,0.00
SVD,2025-01-01,,60,,38.75,0.00,4.20,0.00
SVE,2025-01-01,,60,,85.55,5.00,0.00,0.00
SVF,2025-01-01,,60,69,70.00,0.00,5.00,3.00
SVF,2025-01-01,,70,79,70.00,8.00,5.00,0.00
SVF,2025-01-01,,80,,70.00,15.50,5.00,2.25
SVG,2025-01-01,,60,,9.99,0.00,0.00,0.00
SVH,2025-01-01,,60,,333.33,10.00,0.00,0.00
SVI,2026-01-05,2026-03-20,65,,4.00,0.00,0.00,0.00
SVJ,2025-01-01,,60,,5.00,5.00,0.00,0.00
SVK,2025-01-01,,60,,8.00,0.00,8.00,0.00
"""

# update-02 ends SVG's open row and lets another follow.
NEW_PRICES = """\
service,valid_from,valid_until,min_age,max_age,list_price,government,concession,charity
SVG,2025-01-01,2026-03-15,60,,9.99,0.00,0.00,0.00
SVG,2026-03-16,,60,,11.11,0.00,0.00,0.55
"""

# AP and ZT are payout vouchers of half a lunch, as PA is of the offset kind: ties both ways (AP < PA < ZT).
# PB pays at both premises of OPA; NV only while LK2 itself is in force; CW and PG anywhere, for LK2 and LK6.
# NV comes first by code and last by validity. PE and XQ have budgets that run out; XR too. XS pays its
# operator although it hangs on a lease. PI's first day of issue lies before its lease. PH is January's alone.
PROGRAMMES = """\
code,name,settlement,lease,scope,face_value,divisible,per_elder,cadence,starts_on,ends_on,valid_days,max_share,min_spend,categories,min_age,min_ability,any_of,divisions,budget
AP,高龄午餐补贴甲,payout,,city,5.00,no,4,monthly,2025-12-01,2027-12-31,,0.5,,canteen,80,,,360403901,
CW,荷风全城抵租券,offset,LK2,city,10.00,yes,1,monthly,2026-01-01,2026-03-25,60,1,,canteen;delivery;recreation,60,,,360403902;360403903,
NV,荷风通用抵租券,offset,LK2,operator,18.75,yes,1,monthly,2026-01-01,2027-12-31,60,0.7,,canteen;home_care;delivery,60,,,360403902,
PA,湖光抵租券一,offset,LK1,premises,30.00,yes,2,monthly,2025-12-01,2027-12-31,,0.5,5.00,canteen;home_care;recreation,60,,,360403901001;360403902001,
PB,湖光抵租券二,offset,LK10,operator,120.00,yes,1,quarterly,2025-10-01,2027-12-31,,0.45,,canteen;day_care;rehabilitation;home_care,60,,,360403901;360403903,
PC,荷风抵租券,offset,LK2,premises,6.00,no,6,monthly,2025-12-01,2026-02-14,20,0.5,12.00,canteen;home_care;delivery;rehabilitation,60,,,,
PD,苇岸新约抵租券,offset,LK3,premises,25.00,yes,2,monthly,2026-02-01,2027-12-31,,0.6,,canteen;home_care;delivery;rehabilitation,60,,,360403902,
PE,苇岸抵租券,offset,LK4,premises,7.00,no,4,monthly,2026-01-01,2027-12-31,,0.75,9.99,canteen;recreation,60,,,360403903,6450.00
PF,鸥鹭抵租券,offset,LK5,operator,45.50,yes,1,monthly,2025-12-01,2027-12-31,40,0.8,,home_care;rehabilitation;day_care,60,,,,
PG,月汀全城抵租券,offset,LK6,city,80.00,yes,1,quarterly,2026-01-01,2027-12-31,75,0.333,,recreation;day_care;rehabilitation,60,,,360403902;360403903,
PH,月汀新年抵租券,offset,LK8,premises,66.60,yes,1,once,2026-01-01,2026-12-31,31,1,,home_care;canteen;recreation,60,,low_income;living_alone;veteran,,
PI,荷风新店抵租券,offset,LK7,premises,20.00,yes,1,monthly,2026-01-01,2027-12-31,,0.9,6.66,canteen;recreation;home_care,60,,,,
XQ,失能照护补贴,payout,,city,300.00,yes,1,once,2025-12-15,2026-03-20,,0.5,,home_care;rehabilitation;day_care,60,2,,,15000.00
XR,适老化改造补贴,payout,,city,800.00,yes,1,once,2026-02-01,2026-12-31,90,0.9,100.00,adaptation,60,,destitute;disabled;special_family,,16000.00
XS,苇岸活动补贴,payout,LK4,premises,12.00,yes,1,monthly,2026-01-01,2026-12-31,,1,,recreation,70,,,,
ZT,高龄午餐补贴乙,payout,,city,5.00,no,4,monthly,2025-12-01,2027-12-31,,0.5,,canteen,80,,,360403902;360403903,
"""


def rows_of(text):
    """A table's columns and its rows as dicts."""
    reader = csv.DictReader(text.splitlines())
    return reader.fieldnames, list(reader)
