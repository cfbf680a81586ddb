"""The counter's app: a page that works from a cold start without a network. What it does is in static/js/counter."""
