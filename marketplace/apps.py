from django.apps import AppConfig


class MarketplaceConfig(AppConfig):
    name = "marketplace"
    verbose_name = "Yiquan"

    def ready(self) -> None:
        from marketplace.privacy import retention  # noqa: F401 - its check of the settings
