"""How elders are called on their own pages."""

from django.utils.translation import get_language

from vouchers.elders.models import Elder
from vouchers.elders.sealing import CannotOpen

# Family names of two characters that are common enough to be met; others are one.
DOUBLE = {
    "欧阳",
    "司马",
    "诸葛",
    "上官",
    "司徒",
    "东方",
    "夏侯",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "令狐",
    "长孙",
    "宇文",
}


def called(elder: Elder) -> str:
    """李奶奶 or 李爷爷, as the resident ID tells (its last but one digit is odd for men); elsewhere 李*."""
    if not (get_language() or "").startswith("zh"):
        return elder.masked_name
    try:
        number = elder.id_number()
    except CannotOpen:
        return elder.masked_name
    family = elder.name[:2] if elder.name[:2] in DOUBLE else elder.name[:1]
    return f"{family}爷爷" if number[-2] in "13579" else f"{family}奶奶"
