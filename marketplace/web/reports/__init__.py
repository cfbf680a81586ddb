"""The monthly report (一月一统计), the register behind it (台账), inspections, the seal log, books and evidence."""
