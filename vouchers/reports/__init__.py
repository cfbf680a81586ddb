"""The monthly report (一月一统计) and the register behind it (台账)."""
