"""Home adaptation as people meet it: who acts for whom, and who is told. The rules are vouchers/adaptation's."""
