"""What the operator offers when: opening hours and closed days, how services are ordered, caregivers."""
