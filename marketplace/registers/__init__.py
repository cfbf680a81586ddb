"""What the registers keep besides their rows: pictures of premises."""
