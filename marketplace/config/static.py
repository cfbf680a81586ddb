"""Which static files the site serves: its own, and the admin's."""

from django.contrib.staticfiles.apps import StaticFilesConfig

# Libraries that bring files for pages that we do not show. Oscar's dashboard alone is two thirds of all bytes, and
# compressing it takes longer than everything else of an installation.
NOT_SHOWN = ["oscar", "treebeard", "django_tables2"]


class OwnStaticFilesConfig(StaticFilesConfig):
    ignore_patterns = [*StaticFilesConfig.ignore_patterns, *NOT_SHOWN]
