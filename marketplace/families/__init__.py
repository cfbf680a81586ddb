"""Elders' accounts and those who act for them: vouchers/delegates with codes and messages around it."""
